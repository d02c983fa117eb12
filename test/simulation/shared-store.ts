import { createMemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { type InvocationStore, StoreUnavailable } from '../../src/routes/invocation-store.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface StoreTrouble {
  /** Away between these two times, counted from the start. */
  readonly away: readonly [number, number]
  /** Probability that an operation is done, and its answer lost. */
  readonly lostAnswers: number
  /** Milliseconds that an operation takes at most, before and after it is done. */
  readonly slowMs: number
}

/** One store behind all replicas, as Redis would be: each has its own connection. */
export interface SharedStore {
  /** For looking at it from outside, without trouble. */
  readonly behind: InvocationStore
  connect(replica: string): InvocationStore
  cut(replica: string): void
}

/** Milliseconds without a sign of life after which a replica counts as gone. */
const SILENT_MS = 3_000

export interface SharedStoreOptions {
  readonly random: Random
  readonly time: VirtualTime
  readonly trouble: StoreTrouble
  /** false: as if the process had a memory of its own only. */
  readonly isShared: boolean
}

export function createSharedStore({ random, time, trouble, isShared }: SharedStoreOptions): SharedStore {
  const behind = createMemoryStore({ retentionMs: 3_600_000, maxRecords: 10_000 })
  const beats = new Map<string, number>()
  const connected = new Set<string>()
  const startedAt = time.now()

  function isAway(): boolean {
    const elapsed = time.now() - startedAt
    return elapsed >= trouble.away[0] && elapsed < trouble.away[1]
  }

  /** A dead replica’s operation may still be done; it never hears of it. */
  function through<T>(replica: string, operation: () => Promise<T>): Promise<T> {
    const hears = (): boolean => connected.has(replica)
    if (!hears()) return never()
    return (async () => {
      await delay()
      if (!hears() && random.chance(0.5)) return never()
      if (isAway()) throw new StoreUnavailable('The store is away.')
      const result = await operation()
      if (random.chance(trouble.lostAnswers)) throw new StoreUnavailable('The store’s answer was lost.')
      await delay()
      return hears() ? result : never()
    })()
  }

  function delay(): Promise<void> | undefined {
    return trouble.slowMs === 0 ? undefined : time.pass(random.integer(0, trouble.slowMs))
  }

  return {
    behind,
    cut: (replica) => connected.delete(replica),
    connect(replica) {
      connected.add(replica)
      return {
        name: 'simulated',
        isShared,
        start: async () => undefined,
        open: (record, scope) => through(replica, () => behind.open(record, scope)),
        read: (id) => through(replica, () => behind.read(id)),
        accept: (id) => through(replica, () => behind.accept(id)),
        finish: (id, answer) => through(replica, () => behind.finish(id, answer)),
        release: (id, scope, answer) => through(replica, () => behind.release(id, scope, answer)),
        waitFor: (id, untilMs, signal) => through(replica, () => behind.waitFor(id, untilMs, signal)),
        waitForAcceptance: (id, untilMs, signal) =>
          through(replica, () => behind.waitForAcceptance(id, untilMs, signal)),
        beat: (name) =>
          through(replica, async () => {
            beats.set(name, time.now())
            return new Set([...beats].filter(([, at]) => time.now() - at < SILENT_MS).map(([one]) => one))
          }),
        leave: (name) => through(replica, async () => void beats.delete(name)),
        health: async () => ({ ok: true, detail: '' }),
        close: async () => undefined,
      }
    },
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
