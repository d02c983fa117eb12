import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import secureJson from 'secure-json-parse'
import { isDeeperThan, isSafeJson, parseExact } from '../entity-registry/exact-json.ts'
import { messageOf } from '../entity-registry/message-of.ts'
import { ProblemError } from './problem.ts'
import { readBody } from './read-body.ts'

const MAX_NESTING = 64
/** Names of members may be written with escapes. */
const MAYBE_HARMFUL = /\\|__proto__|constructor/
const MAYBE_SURROGATE = /\\u[dD][89a-fA-F]/
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** Reads `application/json` without losing a digit, and refuses what no runtime should be sent. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', (request, payload, done) => {
    const coded = codedBody(request.headers)
    if (coded !== undefined) return done(coded)
    readBody(request, payload, (unread, body) => {
      if (body === undefined) return done(unread)
      let value: unknown
      try {
        value = parseBody(body)
      } catch (error) {
        return done(error instanceof Error ? error : new Error('a body could not be read', { cause: error }))
      }
      done(null, value)
    })
  })
}

/**
 * @param what is named in problems
 * @returns `undefined` for no bytes at all
 * @throws ProblemError `malformed_json`
 */
export function parseBody(body: Buffer, what = 'The body'): unknown {
  if (body.length === 0) return undefined
  if (!isUtf8(body)) throw malformed(`${what} is not valid UTF-8.`)
  const text = body.toString('utf8')
  const isSafe = isSafeJson(text, 'any')
  const value = parseText(text, { what, isSafe })
  if (typeof value !== 'object' || value === null) {
    checkValues(value, MAYBE_SURROGATE.test(text))
    return value
  }
  if (MAYBE_HARMFUL.test(text)) refuseHarmful(value)
  // Each level takes two characters at least.
  if (text.length > 2 * MAX_NESTING && isDeeperThan(value, MAX_NESTING)) {
    throw tooDeep(what)
  }
  const checkStrings = MAYBE_SURROGATE.test(text)
  if (checkStrings || !isSafe) checkValues(value, checkStrings)
  return value
}

function refuseHarmful(value: object): void {
  try {
    secureJson.scan(value)
  } catch {
    throw malformed('A member is named "__proto__" or "constructor.prototype".')
  }
}

function parseText(text: string, { what, isSafe }: { readonly what: string; readonly isSafe: boolean }): unknown {
  try {
    return isSafe ? JSON.parse(text) : parseExact(text, 'any')
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(what)
    throw malformed(`${what} is not JSON: ${messageOf(error)}.`)
  }
}

function checkValues(value: unknown, checkStrings: boolean): void {
  if (typeof value === 'bigint' && (value < INT64_MIN || value > INT64_MAX)) {
    throw malformed(`The integer ${String(value).slice(0, 40)} is beyond 64 bits.`)
  }
  if (checkStrings && typeof value === 'string' && !value.isWellFormed()) {
    throw malformed('A string has an unpaired surrogate, which no encoding can carry.')
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) {
    if (checkStrings) checkValues(name, true)
    checkValues(member, checkStrings)
  }
}

/** The problem of a body that is compressed: none is read. */
export function codedBody({ 'content-encoding': coding }: IncomingHttpHeaders): ProblemError | undefined {
  if (coding === undefined || coding.toLowerCase() === 'identity') return undefined
  return new ProblemError('unsupported_media_type', { detail: `No body is read with Content-Encoding "${coding}".` })
}

function tooDeep(what: string): ProblemError {
  return malformed(`${what} is nested more than ${MAX_NESTING} levels deep.`)
}

function malformed(detail: string): ProblemError {
  return new ProblemError('malformed_json', { detail })
}
