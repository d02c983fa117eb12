import type { RuntimeAdapter } from '../../runtime-adapters/contract.ts'

/** Milliseconds between two looks whether an adapter still has calls. */
const LOOK_MS = 250

/** Adapters whose place another has taken: each is closed once its calls have ended. */
export interface Parting {
  add(adapter: RuntimeAdapter): void
  /** Waits for nobody's calls. */
  close(): Promise<void>
}

/** @param patienceMs after which an adapter is closed all the same */
export function createParting(patienceMs: number): Parting {
  const leaving = new Map<RuntimeAdapter, NodeJS.Timeout>()

  async function end(adapter: RuntimeAdapter): Promise<void> {
    clearInterval(leaving.get(adapter))
    leaving.delete(adapter)
    await adapter.close()
  }

  return {
    add(adapter) {
      const untilMs = Date.now() + patienceMs
      const look = () => {
        const { pending = 0 } = adapter.counters()
        // What fails here is an adapter that nobody asks any more.
        if (pending === 0 || Date.now() >= untilMs) end(adapter).catch(() => undefined)
      }
      leaving.set(adapter, setInterval(look, LOOK_MS).unref())
    },
    async close() {
      await Promise.all([...leaving.keys()].map(end))
    },
  }
}
