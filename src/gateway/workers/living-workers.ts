import type { MemoryStore } from '../invocations/memory-store.ts'

/** Milliseconds of silence after which a worker is taken for dead: it hangs, or its end was not heard of yet. */
const DEAD_AFTER_MS = 3_000

/** A store in memory for several workers: it knows which of them live, by their beats. */
export function withLivingWorkers(store: MemoryStore, now: () => number = Date.now): MemoryStore {
  const beatAt = new Map<string, number>()
  return {
    name: store.name,
    isShared: store.isShared,
    start: () => store.start(),
    open: (record, scope) => store.open(record, scope),
    read: (id) => store.read(id),
    accept: (id) => store.accept(id),
    finish: (id, answer) => store.finish(id, answer),
    release: (id, scope, answer) => store.release(id, scope, answer),
    drop: (id) => store.drop(id),
    waitFor: (id, untilMs, signal) => store.waitFor(id, untilMs, signal),
    waitForAcceptance: (id, untilMs, signal) => store.waitForAcceptance(id, untilMs, signal),
    async beat(replica) {
      beatAt.set(replica, now())
      for (const [name, at] of beatAt) if (at + DEAD_AFTER_MS < now()) beatAt.delete(name)
      return new Set(beatAt.keys())
    },
    async leave(replica) {
      beatAt.delete(replica)
    },
    health: () => store.health(),
    close: () => store.close(),
  }
}
