import { parseExact, stringifyExact } from '../../entity-registry/exact-json.ts'
import { type InvocationRecord, StoreUnavailable } from '../../routes/invocation-store.ts'
import type { HttpAnswer } from '../../routes/to-http.ts'

/** What Redis says of an invocation. */
export type Looked =
  | { readonly kind: 'kept'; readonly record: InvocationRecord }
  /** Without its record where it was released before it was there. */
  | { readonly kind: 'released'; readonly answer: HttpAnswer; readonly record: InvocationRecord | undefined }
  | { readonly kind: 'gone' | 'none' }

/** Keys of one invocation; the braces put them into one slot of a cluster. */
export function keysOf(prefix: string, id: string) {
  const key = (what: string) => `${prefix}:{${id}}:${what}`
  return {
    record: key('record'),
    /** Outlives the record, to tell what is gone from what never was. */
    trace: key('trace'),
    /** The answer of a call that was never sent. */
    released: key('released'),
  }
}

export function scopeKey(prefix: string, scope: string): string {
  return `${prefix}:{${scope}}:scope`
}

export function writeRecord(record: InvocationRecord): string {
  return stringifyExact({ ...record, answer: undefined })
}

export function readLooked(reply: unknown): Looked {
  const [kind, first, second, accepted] = Array.isArray(reply) ? reply : []
  if (kind === 'gone' || kind === 'none') return { kind }
  if (kind === 'released') {
    const answer = parse<HttpAnswer>(first)
    const record = second === null ? undefined : parse<InvocationRecord>(second)
    return { kind, answer, record: record && { ...record, state: 'finished', answer } }
  }
  if (kind !== 'kept') throw new StoreUnavailable('Redis said something that this gateway does not understand.')
  const record = parse<InvocationRecord>(first)
  if (second === null) return { kind, record: accepted === null ? record : { ...record, state: 'running' } }
  return { kind, record: { ...record, state: 'finished', answer: parse<HttpAnswer>(second) } }
}

/** Only replicas of this gateway write here, so what is read is what was written. */
function parse<T>(text: unknown): T {
  return parseExact(String(text)) as T
}
