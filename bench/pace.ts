import { median, spread } from './statistics.ts'

/** What the same piece of work took, in milliseconds, during a window: how fast the machine was, whatever ran on it. */
export interface Pace {
  readonly usualMs: number
  /** In the slowest second. */
  readonly slowestMs: number
  /** Nanoseconds that memory took for a place that no cache held: other machines on the same hardware slow that down more than arithmetic. */
  readonly readNs: number
}

interface Noted {
  readonly workMs: number
  readonly readNs: number
}

/** Tries in a second. */
const SECOND = 10

export interface PaceRecord {
  note(one: Noted): void
  /** Since the last time; `undefined` when nothing was noted. */
  take(): Pace | undefined
}

export function createPaceRecord(): PaceRecord {
  let noted: Noted[] = []
  return {
    note: (one) => void noted.push(one),
    take() {
      const since = noted.map(({ workMs }) => workMs)
      const reads = noted.map(({ readNs }) => readNs)
      noted = []
      if (since.length === 0) return undefined
      // The last one takes the rest: one try alone may have been interrupted.
      const count = Math.max(1, Math.floor(since.length / SECOND))
      const seconds = Array.from({ length: count }, (_, index) =>
        since.slice(index * SECOND, index === count - 1 ? undefined : (index + 1) * SECOND),
      )
      return { usualMs: median(since), slowestMs: Math.max(...seconds.map(median)), readNs: median(reads) }
    },
  }
}

/** What there is to say of the windows of a run. */
export function describePace(paces: readonly Pace[]): string {
  const usual = median(paces.map(({ usualMs }) => usualMs))
  const [fastest, slowest] = [Math.min, Math.max].map((pick) => pick(...paces.map(({ usualMs }) => usualMs)) / usual)
  const worst = Math.max(...paces.map(({ slowestMs }) => slowestMs)) / usual
  const reads = paces.map(({ readNs }) => readNs)
  return (
    `the same piece of work took ${times(fastest)} to ${times(slowest)} of its usual ${usual.toFixed(2)} ms in the windows, and ${times(worst)} ` +
    `in the slowest second; a read of memory that no cache held took ${spread(reads, 0)} ns`
  )
}

export function times(factor: number | undefined): string {
  return `${(factor ?? 0).toFixed(2)} ×`
}
