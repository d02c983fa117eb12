import type { InvocationStore } from '../../routes/invocation-store.ts'

/** Milliseconds between two attempts. */
const RETRY_MS = 500
/** Milliseconds for which a write is tried: longer than a store takes to restart. */
const PATIENCE_MS = 120_000
/** Writes that wait for the store at once; further ones fail as the store does. */
const MAX_WAITING = 10_000

/**
 * What happened is written, also when the store is away for a while or slow:
 * `finish` comes after the `open` of the same record that is still under way, so that a reply which overtakes it is not lost,
 * and `finish` and `release` are tried again until the store is back.
 */
export function createSteadyStore(store: InvocationStore): InvocationStore {
  const opening = new Map<string, Promise<unknown>>()
  const retries = createRetries()

  return {
    name: store.name,
    isShared: store.isShared,
    start: () => store.start(),
    async open(record, scope) {
      const opened = store.open(record, scope)
      opening.set(record.id, opened)
      try {
        return await opened
      } finally {
        opening.delete(record.id)
      }
    },
    async finish(id, answer) {
      await opening.get(id)?.catch(() => undefined)
      return retries.run(() => store.finish(id, answer))
    },
    release: (id, scope, answer) => retries.run(() => store.release(id, scope, answer)),
    read: (id) => store.read(id),
    waitFor: (id, untilMs, signal) => store.waitFor(id, untilMs, signal),
    beat: (replica) => store.beat(replica),
    leave: (replica) => store.leave(replica),
    health: () => store.health(),
    async close() {
      retries.close()
      await store.close()
    },
  }
}

interface Retries {
  run<T>(write: () => Promise<T>): Promise<T>
  close(): void
}

function createRetries(): Retries {
  const waiting = new Set<() => void>()
  let isClosed = false

  /** One timer for all: writes that wait are tried together. */
  let timer: NodeJS.Timeout | undefined
  function wakeAll(): void {
    timer = undefined
    const all = [...waiting]
    waiting.clear()
    for (const wake of all) wake()
  }

  function pause(): Promise<void> {
    timer ??= setTimeout(wakeAll, RETRY_MS).unref()
    return new Promise((resolve) => waiting.add(resolve))
  }

  return {
    async run(write) {
      const until = Date.now() + PATIENCE_MS
      for (;;) {
        try {
          return await write()
        } catch (error) {
          if (isClosed || Date.now() >= until || waiting.size >= MAX_WAITING) throw error
          await pause()
        }
      }
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      wakeAll()
    },
  }
}
