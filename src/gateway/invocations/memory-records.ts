import { type InvocationRecord, StoreUnavailable } from '../../routes/invocation-store.ts'

export interface MemoryRecordsOptions {
  /** Milliseconds that a finished invocation stays. */
  readonly retentionMs: number
  /** Records that are kept at once; with so many `add` refuses: none is dropped before its time. */
  readonly maxRecords: number
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
  /** Frees the scope; the record stays a while for those who know its id. */
  release(record: InvocationRecord, scope: string | undefined): void
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
const RELEASED_MS = 300_000
/** Milliseconds between two looks at all records, at least, when there is no room: one costs a thousand times what a call does. */
const HURRIED_SWEEP_MS = 1_000

export function createMemoryRecords({ retentionMs, maxRecords, now }: MemoryRecordsOptions): MemoryRecords {
  const kept = new Map<string, Kept>()
  const scopes = new Map<string, string>()
  /** Ids whose records have been forgotten, and until when that is remembered; oldest first. */
  const gone = new Map<string, number>()
  const released = new Map<string, { readonly record: InvocationRecord; readonly until: number }>()
  let sweptAt = Number.NEGATIVE_INFINITY

  function drop(id: string, scope: string | undefined): void {
    kept.delete(id)
    if (scope !== undefined && scopes.get(scope) === id) scopes.delete(scope)
  }

  function sweep(): void {
    sweptAt = now()
    for (const [id, { scope, forgetAt }] of kept) {
      if (forgetAt > sweptAt) continue
      drop(id, scope)
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
      if (kept.size >= maxRecords && now() - sweptAt >= HURRIED_SWEEP_MS) sweep()
      if (kept.size >= maxRecords) throw new StoreUnavailable(`${maxRecords} invocations are kept already.`)
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
      one.record = record
      if (record.state === 'finished') one.forgetAt = now() + retentionMs
    },
    release(record, scope) {
      drop(record.id, scope)
      addBounded(released, record.id, { record, until: now() + RELEASED_MS })
    },
    sweep,
    get size() {
      return kept.size
    },
  }
}
