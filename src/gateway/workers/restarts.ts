/** When workers that have ended are started again. */
export interface Restarts {
  /** It has started, so from now on its life counts. */
  noteServing(number: number): void
  /** @returns milliseconds until it is started again; `undefined`: it has ended too often in a row */
  plan(number: number): number | undefined
  close(): void
}

/** Milliseconds before the first new start; each further one in a row waits twice as long. */
const FIRST_MS = 100
const LONGEST_MS = 5_000
/** Ends in a row after which it is given up. */
const MAX_IN_A_ROW = 6
/** Milliseconds of serving after which an end begins a new row. */
const STABLE_MS = 30_000

export function createRestarts(start: (number: number) => void, now: () => number = () => performance.now()): Restarts {
  const endsInARow = new Map<number, number>()
  const servingSince = new Map<number, number>()
  const timers = new Map<number, NodeJS.Timeout>()
  return {
    noteServing: (number) => void servingSince.set(number, now()),
    plan(number) {
      const since = servingSince.get(number)
      servingSince.delete(number)
      const isNewRow = since !== undefined && now() - since >= STABLE_MS
      const ends = 1 + (isNewRow ? 0 : (endsInARow.get(number) ?? 0))
      endsInARow.set(number, ends)
      if (ends >= MAX_IN_A_ROW) return undefined
      const inMs = Math.min(FIRST_MS * 2 ** (ends - 1), LONGEST_MS)
      timers.set(
        number,
        setTimeout(() => start(number), inMs),
      )
      return inMs
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}
