import type { CommitResult } from '../sqlite/transaction.ts'
import type { TypedValue } from '../statefun/protobuf.ts'
import type { Delay, Egress, Message } from './message.ts'

/** A function's value at one address. */
export interface StateEntry {
  readonly value: TypedValue
  /** Epoch milliseconds from which on it is not there any more; `undefined`: it stays. */
  readonly expiresAtMs: number | undefined
}

export interface ValueChange {
  readonly place: string
  readonly name: string
  /** `undefined`: it is deleted. */
  readonly entry: StateEntry | undefined
}

/** What happens together or not at all. Removals name numbers (`seq`). */
export interface Change {
  readonly addMessages?: readonly Message[]
  readonly removeMessages?: readonly number[]
  readonly values?: readonly ValueChange[]
  readonly addDelays?: readonly Delay[]
  readonly removeDelays?: readonly number[]
  readonly addEgresses?: readonly Egress[]
  readonly removeEgresses?: readonly number[]
}

/** What an earlier process has left, each list in the order of its numbers. */
export interface Unfinished {
  readonly messages: readonly Message[]
  readonly delays: readonly Delay[]
  readonly egresses: readonly Egress[]
  /** The next number that is free. */
  readonly nextSeq: number
}

/**
 * What the engine must not forget. Laws: changes are kept in the order of the calls of `write`, each whole or not at all;
 * writing a change again does nothing more; `values` gives what was kept, never what waits for its commit.
 */
export interface EngineStore {
  /** @throws DataFolderError */
  open(): Unfinished
  /** Values that have expired may be among them. @throws Error when they can't be read */
  values(place: string): ReadonlyMap<string, StateEntry>
  /** `undefined`: it is as safe as it gets already. */
  write(change: Change): Promise<CommitResult> | undefined
  /** Removes what has expired before. */
  dropExpired(nowMs: number): void
  health(): { readonly ok: boolean; readonly detail: string }
  counters(): Readonly<Record<string, number>>
  /** Commits what is pending. May be called twice. */
  close(): void
}

const NOTHING: ReadonlyMap<string, StateEntry> = new Map()

/** Values that live as long as the process; everything else is in the engine's own memory anyway. */
export function createMemoryEngineStore(): EngineStore {
  const places = new Map<string, Map<string, StateEntry>>()

  function keep({ place, name, entry }: ValueChange): void {
    const values = places.get(place) ?? new Map<string, StateEntry>()
    if (entry === undefined) values.delete(name)
    else values.set(name, entry)
    if (values.size === 0) places.delete(place)
    else places.set(place, values)
  }

  return {
    open: () => ({ messages: [], delays: [], egresses: [], nextSeq: 1 }),
    values: (place) => places.get(place) ?? NOTHING,
    write({ values = [] }) {
      for (const change of values) keep(change)
      return undefined
    },
    dropExpired(nowMs) {
      for (const [place, values] of places) {
        for (const [name, { expiresAtMs = Number.POSITIVE_INFINITY }] of values) {
          if (expiresAtMs <= nowMs) keep({ place, name, entry: undefined })
        }
      }
    },
    health: () => ({ ok: true, detail: `${places.size} functions have state in memory; it ends with the process` }),
    counters: () => ({}),
    close: () => places.clear(),
  }
}
