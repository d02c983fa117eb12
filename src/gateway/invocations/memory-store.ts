import type { InvocationStore } from '../../routes/invocation-store.ts'
import type { HttpAnswer } from '../../routes/to-http.ts'
import { endOnly } from './answer-limit.ts'
import { createMemoryRecords } from './memory-records.ts'
import { createWaiters } from './waiters.ts'

export interface MemoryStoreOptions {
  /** Milliseconds that a finished invocation stays. */
  readonly retentionMs: number
  /** Records that are kept at once; with so many `open` refuses: none is dropped before its time. */
  readonly maxRecords: number
  /**
   * Bytes that answers may take at once; default: any number. With most of them taken `open` refuses. Of a call that is under way then, an
   * answer that finds no room gives way to a problem that says how it ended; who waits gets the whole.
   */
  readonly maxBytes?: number
  readonly now?: () => number
}

/** Milliseconds between two looks for what may be forgotten. */
const SWEEP_MS = 1_000

export interface MemoryStore extends InvocationStore {
  /** Forgets an invocation that nobody knows of. */
  drop(id: string): Promise<void>
}

/** Invocations of one process: gone with it, and unknown to other replicas. */
export function createMemoryStore(options: MemoryStoreOptions): MemoryStore {
  const { retentionMs, maxRecords, maxBytes = Number.POSITIVE_INFINITY, now = Date.now } = options
  const records = createMemoryRecords({ retentionMs, maxRecords, maxBytes, now })
  const ends = createWaiters<HttpAnswer>()
  const acceptances = createWaiters<HttpAnswer | 'accepted'>()
  let sweeper: NodeJS.Timeout | undefined

  function tell(id: string, answer: HttpAnswer): void {
    ends.wake(id, answer)
    acceptances.wake(id, answer)
  }

  return {
    name: 'memory',
    isShared: false,
    async start() {
      sweeper ??= setInterval(() => records.sweep(), SWEEP_MS).unref()
    },
    async open(record, scope) {
      const known = scope === undefined ? undefined : records.withScope(scope)
      if (known !== undefined) return { kind: 'exists', record: known }
      records.add(record, scope)
      return { kind: 'opened' }
    },
    read: async (id) => records.get(id) ?? records.released(id) ?? (records.isGone(id) ? 'gone' : undefined),
    async accept(id) {
      const record = records.get(id)
      if (record?.state !== 'queued') return
      records.replace({ ...record, state: 'running' })
      acceptances.wake(id, 'accepted')
    },
    async finish(id, answer) {
      const record = records.get(id)
      if (record === undefined || record.state === 'finished') return false
      const kept = records.hasRoomFor(answer)
        ? answer
        : endOnly(id, answer, 'for which there is no room among those kept')
      records.replace({ ...record, state: 'finished', answer: kept })
      tell(id, answer)
      return true
    },
    async release(id, _scope, answer) {
      const record = records.get(id)
      if (record?.state === 'finished') return
      if (record !== undefined) records.release({ ...record, state: 'finished', answer })
      tell(id, answer)
    },
    drop: async (id) => records.drop(id),
    async waitFor(id, untilMs, signal) {
      const record = records.get(id)
      if (record === undefined) return records.released(id)?.answer
      return record.answer ?? ends.wait(id, untilMs - now(), signal)
    },
    async waitForAcceptance(id, untilMs, signal) {
      const record = records.get(id)
      if (record === undefined) return records.released(id)?.answer
      if (record.state !== 'queued') return record.answer ?? 'accepted'
      return acceptances.wait(id, untilMs - now(), signal)
    },
    beat: async (replica) => new Set([replica]),
    leave: async () => undefined,
    health: async () => ({ ok: true, detail: `${records.size} invocations in memory; they end with the process` }),
    async close() {
      clearInterval(sweeper)
      ends.close()
      acceptances.close()
    },
  }
}
