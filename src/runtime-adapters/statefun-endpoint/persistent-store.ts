import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '../contract.ts'
import type { Change, EngineStore, StateEntry } from './engine-store.ts'

/** A store that is asked again and again: what functions have done can't be taken back from them. */
export interface PersistentStore {
  /** @returns false when the engine closes before it is kept */
  commit(change: Change): Promise<boolean>
  /** @returns `undefined` when the engine closes before they can be read */
  valuesAt(place: string): Promise<ReadonlyMap<string, StateEntry> | undefined>
}

export interface PersistentStoreOptions {
  readonly store: EngineStore
  /** Ends the asking. */
  readonly signal: AbortSignal
  readonly log: Log
}

const PAUSE_MS = 100

export function createPersistentStore({ store, signal, log }: PersistentStoreOptions): PersistentStore {
  /** @returns false when there is no use in trying again */
  async function wait(detail: string): Promise<boolean> {
    log.error({ detail }, 'the store does not work')
    await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined)
    return !signal.aborted
  }

  return {
    async commit(change) {
      for (;;) {
        const written = store.write(change)
        if (written === undefined) return true
        const result = await written
        if (result.kind === 'committed') return true
        if (!(await wait(result.detail))) return false
      }
    },
    async valuesAt(place) {
      for (;;) {
        try {
          return store.values(place)
        } catch (error) {
          if (!(await wait(String(error)))) return undefined
        }
      }
    },
  }
}
