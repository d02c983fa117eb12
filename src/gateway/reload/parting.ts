import type { RuntimeAdapter } from '../../runtime-adapters/contract.ts'
import { allEnded } from '../all-ended.ts'

/** Milliseconds between two looks whether an adapter still has calls without an answer. */
const LOOK_MS = 250

/** Adapters whose place another has taken: each is closed once its calls are answered. */
export interface Parting {
  /** @param disused resolves when nobody is left who may call it: until then it may be between two calls */
  add(adapter: RuntimeAdapter, disused: Promise<unknown>): void
  /** Waits for nobody's calls. */
  close(): Promise<void>
}

/** @param patienceMs after which an adapter that nobody calls any more is closed all the same */
export function createParting(patienceMs: number): Parting {
  const leaving = new Map<RuntimeAdapter, NodeJS.Timeout | undefined>()
  const ending = new Set<Promise<void>>()

  async function end(adapter: RuntimeAdapter): Promise<void> {
    clearInterval(leaving.get(adapter))
    leaving.delete(adapter)
    const ended = adapter.close()
    ending.add(ended)
    await ended.finally(() => ending.delete(ended))
  }

  function watch(adapter: RuntimeAdapter): void {
    if (!leaving.has(adapter)) return
    const sinceMs = performance.now()
    const look = () => {
      const unanswered = adapter.unanswered?.() ?? 0
      // What fails here is an adapter that nobody asks any more.
      if (unanswered === 0 || performance.now() - sinceMs >= patienceMs) end(adapter).catch(() => undefined)
    }
    leaving.set(adapter, setInterval(look, LOOK_MS).unref())
  }

  return {
    add(adapter, disused) {
      leaving.set(adapter, undefined)
      void disused.then(() => watch(adapter))
    },
    async close() {
      await allEnded([...ending, ...[...leaving.keys()].map(end)])
    },
  }
}
