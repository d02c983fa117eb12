import type { Target } from '../../runtime-adapters/contract.ts'
import { createCallsUnderWay } from './calls-under-way.ts'
import { type Baseline, createLatencyBaselines, shortestMs } from './latency-baselines.ts'

export interface AdaptiveLimitOptions {
  readonly min: number
  readonly max: number
  /** How long calls may take, as a multiple of what they take in an idle runtime. */
  readonly tolerance: number
  /** An idle runtime is taken for no quicker than this. */
  readonly floorMs: number
}

/** A call that was let in. */
export interface LetIn {
  readonly second: number
  readonly startedAtMs: number
  readonly baseline: Baseline
}

/** `refused`: answered, but what was asked for was not done. */
export type Ending = 'done' | 'refused' | 'silent' | 'not-sent'

/** How many calls one runtime is given at once: as many as it answers about as quickly as when it is idle. */
export interface AdaptiveLimit {
  /** Now. */
  readonly limit: number
  readonly inFlight: number
  /** @param share of the limit that calls of this kind may fill, 0 to 1 */
  enter(target: Target, share: number, nowMs: number): LetIn | undefined
  leave(call: LetIn, ending: Ending, nowMs: number): void
  /** Once every `WINDOW_MS`. */
  tick(nowMs: number, isLoopLate: boolean): void
}

/** Milliseconds between two looks at what was measured. */
export const WINDOW_MS = 100
/** What a new limit is, of the least that it may be. */
const INITIAL_FACTOR = 2
/** Calls that say nothing for so long are taken for lost, and their places are free again. */
const FORGET_AFTER_MS = 30_000
/** Latencies that are needed before anything is concluded from them, unless fewer come in a second. */
const ENOUGH = 8
const PATIENT_WINDOWS = 10
const MAX_RATIOS = 512
/**
 * A quarter of the calls being as quick as ever means that the queue is not everybody's: a hot key, one slow partition. Its calls
 * wait for each other, and the others need not be refused for them.
 */
const QUANTILE = 0.25
/** Below this ratio nothing queues at all, and the limit may grow quickly. */
const IDLE_RATIO = 1.25
const QUICK_GROWTH = 1.5
const MAX_CUT = 0.5
const LATE_CUT = 0.9
/** A limit that is not reached proves nothing, and is forgotten in some seconds: the runtime may not be what it was. */
const UNPROVEN_CUT = 0.98
/** Windows after which the shortest latencies are measured anew: a runtime may have become slower for good. */
const PERIOD_WINDOWS = 300
/** In a queue that never empties they can't be seen, so it is let run empty for a moment. */
const PROBE_WINDOWS = 3
const PROBE_SHARE = 0.25

export function createAdaptiveLimit({ min, max, tolerance, floorMs }: AdaptiveLimitOptions): AdaptiveLimit {
  const calls = createCallsUnderWay(FORGET_AFTER_MS)
  const baselines = createLatencyBaselines()
  let limit = Math.min(max, min * INITIAL_FACTOR)
  let changedAtMs = 0
  let ratios: number[] = []
  let windowsWaited = 0
  let windowsInPeriod = 0
  let windowsOfProbe = 0
  let mostInFlight = 0
  let windowsSinceRefusal = Number.POSITIVE_INFINITY

  const current = (): number => (windowsOfProbe > 0 ? Math.max(1, Math.floor(limit * PROBE_SHARE)) : Math.floor(limit))

  function change(next: number, nowMs: number): void {
    limit = Math.max(min, Math.min(max, next))
    changedAtMs = nowMs
    ratios = []
    windowsWaited = 0
    mostInFlight = calls.size
  }

  function adjust(nowMs: number, isLoopLate: boolean): void {
    windowsWaited++
    if (ratios.length < ENOUGH && (windowsWaited < PATIENT_WINDOWS || ratios.length === 0)) return
    const ratio = quantile(ratios, QUANTILE)
    if (ratio > tolerance) change(limit * Math.max(MAX_CUT, tolerance / ratio), nowMs)
    else if (isLoopLate) change(limit * LATE_CUT, nowMs)
    else if (mostInFlight < limit / 2) change(Math.max(limit * UNPROVEN_CUT, mostInFlight * 2), nowMs)
    else change(ratio < IDLE_RATIO ? limit * QUICK_GROWTH : limit + Math.max(1, Math.sqrt(limit) / 2), nowMs)
  }

  function beginPeriod(): void {
    windowsInPeriod = 0
    baselines.rotate()
    if (windowsSinceRefusal < PATIENT_WINDOWS) windowsOfProbe = PROBE_WINDOWS
  }

  return {
    get limit() {
      return current()
    },
    get inFlight() {
      return calls.size
    },
    enter(target, share, nowMs) {
      if (calls.size >= Math.ceil(current() * share)) {
        windowsSinceRefusal = 0
        return undefined
      }
      const second = calls.begin(nowMs)
      mostInFlight = Math.max(mostInFlight, calls.size)
      return { second, startedAtMs: nowMs, baseline: baselines.of(target) }
    },
    leave({ second, startedAtMs, baseline }, ending, nowMs) {
      calls.end(second)
      if (ending === 'not-sent') return
      const tookMs = nowMs - startedAtMs
      if (ending !== 'silent') baseline[ending].youngMs = Math.min(baseline[ending].youngMs, tookMs)
      // Calls that began under another limit tell of that one.
      if (startedAtMs < changedAtMs || ratios.length >= MAX_RATIOS) return
      const shortest = shortestMs(baseline)
      ratios.push(tookMs / Math.max(floorMs, Number.isFinite(shortest) ? shortest : floorMs))
    },
    tick(nowMs, isLoopLate) {
      calls.sweep(nowMs)
      windowsSinceRefusal++
      if (++windowsInPeriod >= PERIOD_WINDOWS) beginPeriod()
      else if (windowsOfProbe === 0) adjust(nowMs, isLoopLate)
      else if (--windowsOfProbe === 0) change(limit, nowMs)
    },
  }
}

function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b)
  return values[Math.floor((values.length - 1) * share)] ?? 1
}
