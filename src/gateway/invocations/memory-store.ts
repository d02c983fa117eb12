import {
  type InvocationRecord,
  type InvocationStore,
  type OpenResult,
  type StoredAnswer,
  StoreUnavailable,
} from '../../routes/invocation-store.ts'
import { createWaiters } from './waiters.ts'

export interface MemoryStoreOptions {
  /** Milliseconds that a finished invocation stays. */
  readonly retentionMs: number
  /** Records that are kept at once; with so many `open` refuses: none is dropped before its time. */
  readonly maxRecords: number
  readonly now?: () => number
}

interface Kept {
  record: InvocationRecord
  readonly scope: string | undefined
  /** Epoch milliseconds. */
  forgetAt: number
}

/** Milliseconds that the answer of a call that was never sent stays, for those who were given its `Location`, or join it late. */
const RELEASED_MS = 300_000
/** Milliseconds between two looks for what may be forgotten. */
const SWEEP_MS = 1_000

/** Invocations of one process: gone with it, and unknown to other replicas. */
export function createMemoryStore({ retentionMs, maxRecords, now = Date.now }: MemoryStoreOptions): InvocationStore {
  const kept = new Map<string, Kept>()
  const scopes = new Map<string, string>()
  /** Ids whose records have been forgotten, oldest first. */
  const gone = new Map<string, number>()
  const released = new Map<string, { readonly record: InvocationRecord; readonly until: number }>()
  const waiters = createWaiters()
  let sweeper: NodeJS.Timeout | undefined

  function forget(id: string, { scope }: Kept): void {
    kept.delete(id)
    if (scope !== undefined) scopes.delete(scope)
    gone.set(id, now() + retentionMs)
    if (gone.size > maxRecords) gone.delete(gone.keys().next().value ?? '')
  }

  let sweptAt = Number.NEGATIVE_INFINITY
  function sweep(): void {
    const at = now()
    sweptAt = at
    for (const [id, one] of kept) if (one.forgetAt <= at) forget(id, one)
    for (const [id, until] of gone) if (until <= at) gone.delete(id)
    for (const [id, { until }] of released) if (until <= at) released.delete(id)
  }

  return {
    name: 'memory',
    isShared: false,
    async start() {
      sweeper ??= setInterval(sweep, SWEEP_MS).unref()
    },
    async open(record, scope): Promise<OpenResult> {
      const known = scope === undefined ? undefined : kept.get(scopes.get(scope) ?? '')
      if (known !== undefined) return { kind: 'exists', record: known.record }
      // Not for each call: a look at all records costs a thousand times what a call does.
      if (kept.size >= maxRecords && now() - sweptAt >= SWEEP_MS) sweep()
      if (kept.size >= maxRecords) throw new StoreUnavailable(`${maxRecords} invocations are kept already.`)
      kept.set(record.id, { record, scope, forgetAt: record.expiresAt + retentionMs })
      if (scope !== undefined) scopes.set(scope, record.id)
      return { kind: 'opened' }
    },
    async read(id) {
      return kept.get(id)?.record ?? released.get(id)?.record ?? (gone.has(id) ? 'gone' : undefined)
    },
    async finish(id, answer) {
      const one = kept.get(id)
      if (one === undefined || one.record.state === 'finished') return false
      one.record = { ...one.record, state: 'finished', answer }
      one.forgetAt = now() + retentionMs
      waiters.wake(id, answer)
      return true
    },
    async release(id, scope, answer) {
      const record = kept.get(id)?.record
      if (record?.state === 'finished') return
      kept.delete(id)
      if (scope !== undefined && scopes.get(scope) === id) scopes.delete(scope)
      if (record !== undefined) {
        released.set(id, { record: { ...record, state: 'finished', answer }, until: now() + RELEASED_MS })
      }
      if (released.size > maxRecords) released.delete(released.keys().next().value ?? '')
      waiters.wake(id, answer)
    },
    async waitFor(id, untilMs, signal): Promise<StoredAnswer | undefined> {
      const one = kept.get(id)
      if (one === undefined) return released.get(id)?.record.answer
      return one.record.answer ?? waiters.wait(id, untilMs - now(), signal)
    },
    beat: async (replica) => new Set([replica]),
    leave: async () => undefined,
    health: async () => ({ ok: true, detail: `${kept.size} invocations in memory; they end with the process` }),
    async close() {
      clearInterval(sweeper)
      waiters.close()
    },
  }
}
