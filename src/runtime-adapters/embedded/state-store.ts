import type { CommitResult } from '../sqlite/transaction.ts'
import type { EntityModel } from './entity-model.ts'

/** An entity's state: detached data by attribute, never changed in place. */
export type State = Readonly<Record<string, unknown>>

export interface Change {
  readonly entity: string
  /** See `keyText`. */
  readonly key: string
  readonly state: State
}

/** States can't be read, or are not those of today's entities. Its message is written for an operator. */
export class StateStoreError extends Error {
  override readonly name = 'StateStoreError'
}

/**
 * Where states live between calls. Synchronous, so that a call sees one moment. Laws: `read` gives what was written
 * last; what a failed commit took back is never read again; nothing is shared with callers but frozen-in-practice states.
 */
export interface StateStore {
  /** @throws DataFolderError when the store can't be opened, StateStoreError when its states do not fit the models */
  open(models: readonly EntityModel[]): void
  /** `undefined`: there is no such entity. @throws StateStoreError */
  read(entity: EntityModel, key: string): State | undefined
  write(changes: readonly Change[]): void
  /** When everything read so far is as safe as the store makes it; `undefined`: it is already. */
  settled(): Promise<CommitResult> | undefined
  health(): { readonly ok: boolean; readonly detail: string }
  counters(): Readonly<Record<string, number>>
  /** Commits what is pending. May be called twice. */
  close(): void
}

/** States that live as long as the process. */
export function createMemoryStore(): StateStore {
  const entities = new Map<string, Map<string, State>>()
  return {
    open(models) {
      for (const { name } of models) entities.set(name, new Map())
    },
    read: ({ name }, key) => entities.get(name)?.get(key),
    write(changes) {
      for (const { entity, key, state } of changes) entities.get(entity)?.set(key, state)
    },
    settled: () => undefined,
    health() {
      const count = [...entities.values()].reduce((sum, { size }) => sum + size, 0)
      return { ok: true, detail: `${count} entities in memory; they end with the process` }
    },
    counters: () => ({}),
    close: () => entities.clear(),
  }
}
