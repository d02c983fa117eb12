import { readFileSync } from 'node:fs'
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters, type JWTVerifyGetKey } from 'jose'
import { messageOf } from '../../entity-registry/message-of.ts'
import type { Log } from '../../runtime-adapters/contract.ts'

/** The issuer's public keys. */
export interface KeySet {
  /** @throws KeysUnavailable when there are none, jose's errors when none fits */
  readonly keyFor: JWTVerifyGetKey
  /** Another number whenever other keys have come: what was verified by the old ones counts no more. */
  readonly edition: number
  /** Of a file: reads it again. @throws Error when that can't be; then the old ones stay */
  readonly reread?: () => void
}

/** The keys can't be had, so nobody can say whether a token is good. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable'
}

const MAX_KEYS_BYTES = 262_144
/** Keys of an issuer that has been away for longer are no longer believed. */
const MAX_STALE_MS = 86_400_000

/** @throws Error when the file can't be read or holds what is no public key */
export function createFileKeys(file: string): KeySet {
  let keys = readKeyFile(file)
  let edition = 0
  return {
    keyFor: (header, token) => keys.keyFor(header, token),
    get edition() {
      return edition
    },
    reread() {
      const next = readKeyFile(file)
      if (next.text !== keys.text) edition++
      keys = next
    },
  }
}

function readKeyFile(file: string): Pick<Fetched, 'text' | 'keyFor'> {
  try {
    const text = readFileSync(file, 'utf8')
    return { text, keyFor: createLocalJWKSet(checkedKeys(JSON.parse(text))) }
  } catch (error) {
    throw new Error(`GATEWAY_JWKS_FILE: "${file}": ${messageOf(error)}`)
  }
}

/** A private or a shared key in a public place is a leak that must not go unseen. */
function checkedKeys(value: unknown): JSONWebKeySet {
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError('it is no JSON Web Key Set with keys')
  for (const key of keys as readonly unknown[]) {
    if (typeof key !== 'object' || key === null) throw new TypeError('one of its keys is no object')
    if ('d' in key || 'k' in key)
      throw new TypeError('it holds a private or a shared key; publish the public ones only')
  }
  // Its keys are checked by jose where they are used.
  return value as JSONWebKeySet
}

export interface RemoteKeysOptions {
  readonly url: string
  readonly timeoutMs: number
  /** Milliseconds between two fetches. */
  readonly cooldownMs: number
  /** Milliseconds after which keys are fetched anew, while the old ones still serve. */
  readonly maxAgeMs: number
  readonly log: Log
}

interface Fetched {
  readonly text: string
  readonly keyFor: ReturnType<typeof createLocalJWKSet>
  /** By the clock that is never set. */
  readonly atMs: number
}

/** Keys by URL: fetched when first needed, when they are old, and when a token names one that is not there. */
export function createRemoteKeys(options: RemoteKeysOptions): KeySet {
  const { url, cooldownMs, maxAgeMs, log } = options
  let keys: Fetched | undefined
  let edition = 0
  let triedAtMs = Number.NEGATIVE_INFINITY
  let hasFailed = false
  let running: Promise<void> | undefined

  function refresh(): Promise<void> {
    running ??= fetchKeys(options)
      .then(({ text, keyFor }) => {
        if (keys !== undefined && keys.text !== text) edition++
        keys = { text, keyFor, atMs: performance.now() }
        hasFailed = false
      })
      .catch((error: unknown) => {
        hasFailed = true
        log.warn({ err: error, url: withoutSecrets(url) }, 'the issuer’s keys can’t be fetched')
      })
      .finally(() => {
        triedAtMs = performance.now()
        running = undefined
      })
    return running
  }

  const mayTry = () => performance.now() - triedAtMs >= cooldownMs

  async function current(): Promise<Fetched> {
    if (isYounger(keys, MAX_STALE_MS)) {
      if (!isYounger(keys, maxAgeMs) && mayTry()) void refresh()
    } else if (mayTry()) await refresh()
    if (!isYounger(keys, MAX_STALE_MS)) throw new KeysUnavailable()
    return keys
  }

  return {
    get edition() {
      return edition
    },
    async keyFor(header: JWSHeaderParameters, token) {
      const { keyFor } = await current()
      try {
        return await keyFor(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
        if (mayTry()) await refresh()
        // The issuer may have a new key that nobody here has seen: who comes with it is not refused for that.
        if (hasFailed) throw new KeysUnavailable()
        const fresh = await current()
        return fresh.keyFor(header, token)
      }
    },
  }
}

function isYounger(keys: Fetched | undefined, ageMs: number): keys is Fetched {
  return keys !== undefined && performance.now() - keys.atMs < ageMs
}

/** For a log: user and query may be credentials. */
export function withoutSecrets(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}

async function fetchKeys({ url, timeoutMs }: RemoteKeysOptions): Promise<Pick<Fetched, 'text' | 'keyFor'>> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    // Of the whole exchange, the body included.
    signal: AbortSignal.timeout(timeoutMs),
    redirect: 'error',
  })
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw new Error(`the answer has status ${response.status}`)
  }
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > MAX_KEYS_BYTES) throw new Error(`the answer is over ${MAX_KEYS_BYTES} bytes`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString('utf8')
  return { text, keyFor: createLocalJWKSet(checkedKeys(JSON.parse(text))) }
}
