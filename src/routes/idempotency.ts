import { createHash } from 'node:crypto'
import { stringifyExact } from '../entity-registry/exact-json.ts'
import type { Invocation } from '../runtime-adapters/contract.ts'
import { canonical } from './canonical-json.ts'
import { ProblemError } from './problem.ts'
import { memberOf } from './target.ts'

/** What `parseIdempotencyKey` takes, for the OpenAPI document: 1 to 255 characters, quoted or bare. */
export const IDEMPOTENCY_KEY_PATTERN =
  '^(?:"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\]){1,255}"|[\\x21\\x23-\\x5b\\x5d-\\x7e]{1,255})$'

/**
 * The `Idempotency-Key` header (IETF draft): a structured string, or the bare form that many clients send; `"k"` and `k` are
 * the same key.
 * @throws ProblemError `invalid_idempotency_key`
 */
export function parseIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined
  const text = typeof header === 'string' ? header.trim() : ''
  const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(text)
  const key = quoted?.[1]?.replaceAll(/\\(.)/g, '$1') ?? text
  const isBare = quoted === null && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
  if ((quoted !== null || isBare) && key.length >= 1 && key.length <= 255) return key
  throw new ProblemError('invalid_idempotency_key', {
    detail: 'Idempotency-Key is one string of 1 to 255 visible ASCII characters, quoted or bare.',
  })
}

/** What a key is unique in: one caller, one entity, one thing asked of it. Hashed, so that stores hold no keys in the clear. */
export function idempotencyScope(principal: string, { target }: Invocation, key: string): string {
  const of = target.kind === 'create' ? undefined : target.key
  return sha256([principal, target.kind, target.entity.name, typeof of, String(of), memberOf(target), key])
}

/** Of the arguments alone: other headers, whitespace and the order of members change nothing. */
export function fingerprintOf({ target, args }: Invocation): string {
  return sha256([canonical(target.kind === 'write-attribute' ? target.value : args)])
}

function sha256(parts: readonly string[]): string {
  return createHash('sha256').update(stringifyExact(parts)).digest('base64url')
}
