import { setTimeout as pause } from 'node:timers/promises'
import type { HealthCheck, Log } from '../contract.ts'
import type { Change, EngineStore, StateEntry } from './engine-store.ts'

/** `abandoned`: the store takes other changes, and this one it never will. */
export type Keeping = 'kept' | 'closing' | 'abandoned'

/** A store that is asked again and again: what functions have done can't be taken back from them. */
export interface PersistentStore {
  commit(change: Change): Promise<Keeping>
  valuesAt(place: string): Promise<ReadonlyMap<string, StateEntry> | Exclude<Keeping, 'kept'>>
  /** What was abandoned; nothing where nothing was. */
  health(): readonly HealthCheck[]
}

export interface PersistentStoreOptions {
  readonly store: EngineStore
  /** Ends the asking. */
  readonly signal: AbortSignal
  readonly log: Log
  /** Milliseconds after which what can't be kept or read is abandoned, if the store itself works. */
  readonly patienceMs?: number | undefined
}

const PAUSE_MS = 100
const PATIENCE_MS = 30_000

export function createPersistentStore(options: PersistentStoreOptions): PersistentStore {
  const { store, signal, log, patienceMs = PATIENCE_MS } = options
  const abandoned = { count: 0, detail: '' }

  /** @returns why there is no use in trying again */
  async function wait(sinceMs: number, detail: string): Promise<Exclude<Keeping, 'kept'> | undefined> {
    log.error({ detail }, 'the store does not work')
    // A store that is full, or gone, may come back; one that takes its own probe and not this has nothing to come back from.
    if (performance.now() - sinceMs >= patienceMs && store.health().ok) {
      abandoned.count++
      abandoned.detail = detail
      log.error(
        { detail },
        'what a function has done, or its state, is abandoned: the store takes other things, but not this',
      )
      return 'abandoned'
    }
    await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined)
    return signal.aborted ? 'closing' : undefined
  }

  return {
    async commit(change) {
      const sinceMs = performance.now()
      for (;;) {
        const written = store.write(change)
        if (written === undefined) return 'kept'
        const result = await written
        if (result.kind === 'committed') return 'kept'
        const end = await wait(sinceMs, result.detail)
        if (end !== undefined) return end
      }
    },
    async valuesAt(place) {
      const sinceMs = performance.now()
      for (;;) {
        try {
          return store.values(place)
        } catch (error) {
          const end = await wait(sinceMs, String(error))
          if (end !== undefined) return end
        }
      }
    },
    health() {
      const { count, detail } = abandoned
      if (count === 0) return []
      const said = `${count} times since the start something could not be kept or read, and was abandoned; the last time: ${detail}`
      return [{ name: 'abandoned changes', ok: false, essential: false, detail: said }]
    },
  }
}
