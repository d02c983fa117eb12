import type { MemoryStore } from '../invocations/memory-store.ts'
import { passOn } from '../invocations/pass-on.ts'

/** Milliseconds of silence after which a worker is taken for dead: it hangs, or its end was not heard of yet. */
const DEAD_AFTER_MS = 3_000

/** A store in memory for several workers: it knows which of them live, by their beats. */
export function withLivingWorkers(store: MemoryStore, now: () => number = () => performance.now()): MemoryStore {
  const beatAt = new Map<string, number>()
  return {
    ...passOn(store),
    drop: (id) => store.drop(id),
    async beat(replica) {
      beatAt.set(replica, now())
      for (const [name, at] of beatAt) if (at + DEAD_AFTER_MS < now()) beatAt.delete(name)
      return new Set(beatAt.keys())
    },
    async leave(replica) {
      beatAt.delete(replica)
    },
  }
}
