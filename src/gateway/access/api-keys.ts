import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { messageOf } from '../../entity-registry/message-of.ts'
import { ProblemError } from '../../routes/problem.ts'
import { type Caller, scopesOf } from './caller.ts'

/** API keys are random, so one round of a plain hash keeps them as well as any; only the hashes are configured. */

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/
const KEY = /^sfg_([a-z0-9][a-z0-9-]{0,62})_[A-Za-z0-9_-]{43}$/
const SECRET_BYTES = 32
/** RFC 6749, section 3.3, without the comma that separates entries, and the # that would begin a comment. */
const SCOPE = /^(?!#)[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/

interface Entry {
  readonly digest: Buffer
  readonly caller: Caller
}

export type ApiKeyCheck = (key: string) => Caller

/**
 * @param text entries `ID:SHA256:SCOPES`, one a line or separated by commas; `#` begins a comment at a line's start and after a space
 * @throws Error that names the entry at fault, never its hash
 */
export function createApiKeyCheck(text: string): ApiKeyCheck {
  const byId = new Map<string, readonly Entry[]>()
  for (const [index, line] of entriesOf(text).entries()) {
    const { id, entry } = parseEntry(line, index + 1)
    // Two keys of one caller: so that a new one can be given out before the old one ends.
    byId.set(id, [...(byId.get(id) ?? []), entry])
  }
  if (byId.size === 0) throw new Error('GATEWAY_API_KEYS: there is no entry.')
  return (key) => {
    const id = KEY.exec(key)?.[1]
    const digest = createHash('sha256').update(key).digest()
    let found: Caller | undefined
    // All are compared, so that the time says nothing about which one fits.
    for (const entry of byId.get(id ?? '') ?? []) if (timingSafeEqual(entry.digest, digest)) found = entry.caller
    if (found === undefined) throw new ProblemError('invalid_credentials', { detail: 'This API key is not known.' })
    return found
  }
}

/** @throws Error when the file can't be read or an entry is wrong */
export function readApiKeyFile(file: string): ApiKeyCheck {
  try {
    return createApiKeyCheck(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new Error(`GATEWAY_API_KEYS_FILE: "${file}": ${messageOf(error)}`)
  }
}

function entriesOf(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .flatMap((line) => line.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function parseEntry(text: string, number: number): { readonly id: string; readonly entry: Entry } {
  const [id = '', hash = '', ...rest] = text.split(':')
  const scopes = [...scopesOf(rest.join(':'))]
  if (!ID.test(id) || !/^[0-9a-fA-F]{64}$/.test(hash) || !scopes.every((scope) => SCOPE.test(scope))) {
    throw new Error(
      `GATEWAY_API_KEYS: entry ${number} is not ID:SHA256:SCOPES. "stateflow-gateway new-api-key" makes them.`,
    )
  }
  const caller: Caller = {
    kind: 'key',
    principal: `key:${id}`,
    subject: undefined,
    scopes: new Set(scopes),
    claims: {},
  }
  return { id, entry: { digest: Buffer.from(hash, 'hex'), caller } }
}

/**
 * A new key and its entry in the configuration. The key is not kept anywhere.
 * @throws Error when the id or a scope can't be written into an entry
 */
export function newApiKey(id: string, scopes: readonly string[]): { readonly key: string; readonly entry: string } {
  if (!ID.test(id)) throw new Error(`"${id}" is no id of an API key: lower case letters, digits and "-", 63 at most.`)
  const wrong = scopes.find((scope) => !SCOPE.test(scope))
  if (wrong !== undefined)
    throw new Error(`"${wrong}" is no scope: visible ASCII without quotes, commas and backslashes, and no # in front.`)
  const key = `sfg_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`
  return { key, entry: `${id}:${createHash('sha256').update(key).digest('hex')}:${scopes.join(' ')}` }
}
