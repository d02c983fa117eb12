import { type InvocationRecord, StoreUnavailable } from '../../routes/invocation-store.ts'
import type { HttpAnswer } from '../../routes/to-http.ts'
import { sizeOf } from './answer-size.ts'

export interface MemoryRecordsOptions {
  /** Milliseconds that a finished invocation stays. */
  readonly retentionMs: number
  /** Records that are kept at once; with so many `add` refuses: none is dropped before its time. */
  readonly maxRecords: number
  /** Bytes that answers may take at once; `add` refuses before they are taken. */
  readonly maxBytes: number
  readonly now: () => number
}

/** The records of one process, by id and by scope, each until its time is over. */
export interface MemoryRecords {
  /** @throws StoreUnavailable when there is no room */
  add(record: InvocationRecord, scope: string | undefined): void
  /** One that is open or finished. */
  get(id: string): InvocationRecord | undefined
  withScope(scope: string): InvocationRecord | undefined
  /** One that was taken out by `release`. */
  released(id: string): InvocationRecord | undefined
  isGone(id: string): boolean
  replace(record: InvocationRecord): void
  hasRoomFor(answer: HttpAnswer): boolean
  /** Forgets one that nobody knows of. */
  drop(id: string): void
  /** Frees the scope; the record stays a while for those who know its id. */
  release(record: InvocationRecord): void
  /** Forgets what is over. */
  sweep(): void
  readonly size: number
}

interface Kept {
  record: InvocationRecord
  readonly scope: string | undefined
  /** Epoch milliseconds. */
  forgetAt: number
}

/** Milliseconds that the answer of a call that was never sent stays, for those who were given its `Location`, or join it late. */
export const RELEASED_MS = 300_000
/** Milliseconds between two looks at all records, at least, when there is no room: one costs a thousand times what a call does. */
const HURRIED_SWEEP_MS = 1_000

/** Of the bytes for answers, what may be taken when a record is added: the rest is for calls that are under way. */
const ADDING_SHARE = 0.75
/** An answer of so few bytes always has room: its record takes about as many. */
const SMALL_BYTES = 1_024

export function createMemoryRecords({ retentionMs, maxRecords, maxBytes, now }: MemoryRecordsOptions): MemoryRecords {
  const kept = new Map<string, Kept>()
  const scopes = new Map<string, string>()
  /** Ids whose records have been forgotten, and until when that is remembered; oldest first. */
  const gone = new Map<string, number>()
  const released = new Map<string, { readonly record: InvocationRecord; readonly until: number }>()
  let sweptAt = Number.NEGATIVE_INFINITY
  let bytes = 0

  function drop(id: string): void {
    const one = kept.get(id)
    if (one === undefined) return
    bytes -= sizeOfAnswer(one.record)
    kept.delete(id)
    if (one.scope !== undefined) scopes.delete(one.scope)
  }

  function refusal(): string | undefined {
    if (kept.size >= maxRecords) return `${maxRecords} invocations are kept already.`
    return bytes < maxBytes * ADDING_SHARE ? undefined : `Answers of ${bytes} bytes are kept already.`
  }

  function sweep(): void {
    sweptAt = now()
    for (const [id, { forgetAt }] of kept) {
      if (forgetAt > sweptAt) continue
      drop(id)
      addBounded(gone, id, sweptAt + retentionMs)
    }
    for (const [id, until] of gone) if (until <= sweptAt) gone.delete(id)
    for (const [id, { until }] of released) if (until <= sweptAt) released.delete(id)
  }

  function addBounded<T>(to: Map<string, T>, id: string, value: T): void {
    to.set(id, value)
    if (to.size > maxRecords) to.delete(to.keys().next().value ?? '')
  }

  return {
    add(record, scope) {
      if (refusal() !== undefined && now() - sweptAt >= HURRIED_SWEEP_MS) sweep()
      const refused = refusal()
      if (refused !== undefined) throw new StoreUnavailable(refused)
      kept.set(record.id, { record, scope, forgetAt: record.expiresAt + retentionMs })
      if (scope !== undefined) scopes.set(scope, record.id)
    },
    get: (id) => kept.get(id)?.record,
    withScope: (scope) => kept.get(scopes.get(scope) ?? '')?.record,
    released: (id) => released.get(id)?.record,
    isGone: (id) => gone.has(id),
    replace(record) {
      const one = kept.get(record.id)
      if (one === undefined) return
      bytes += sizeOfAnswer(record) - sizeOfAnswer(one.record)
      one.record = record
      if (record.state === 'finished') one.forgetAt = now() + retentionMs
    },
    hasRoomFor(answer) {
      const size = sizeOf(answer)
      return size <= SMALL_BYTES || bytes + size <= maxBytes
    },
    drop,
    release(record) {
      drop(record.id)
      addBounded(released, record.id, { record, until: now() + RELEASED_MS })
    },
    sweep,
    get size() {
      return kept.size
    },
  }
}

function sizeOfAnswer({ answer }: InvocationRecord): number {
  return answer === undefined ? 0 : sizeOf(answer)
}
