import { PerformanceObserver, performance } from 'node:perf_hooks'

/** Epoch milliseconds, so that those of several processes can be laid side by side. */
export interface Pause {
  readonly startMs: number
  readonly endMs: number
}

/** Milliseconds from which a collection is of interest. */
const MIN_PAUSE_MS = 5

/** The garbage collector's pauses of this process, from now on. */
export function watchPauses(): { take(): readonly Pause[] } {
  let pauses: Pause[] = []
  const observer = new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      if (duration < MIN_PAUSE_MS) continue
      const startMs = performance.timeOrigin + startTime
      pauses.push({ startMs, endMs: startMs + duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return {
    /** Those since the last time. */
    take() {
      const since = pauses
      pauses = []
      return since
    },
  }
}

export interface Blame {
  readonly who: string
  readonly ms: number
}

/** Why a call took long, if one knows: who paused for at least half of that time, and for how many milliseconds. */
export function blame(call: Pause, pausesBy: Readonly<Record<string, readonly Pause[]>>): Blame | undefined {
  const durationMs = call.endMs - call.startMs
  return Object.entries(pausesBy)
    .map(([who, pauses]) => ({ who, ms: pausedMs(call, pauses) }))
    .filter(({ ms }) => ms >= durationMs / 2)
    .toSorted((left, right) => right.ms - left.ms)[0]
}

/** Pauses that lie over each other count once. */
function pausedMs({ startMs, endMs }: Pause, pauses: readonly Pause[]): number {
  let from = startMs
  let paused = 0
  for (const pause of pauses.toSorted((left, right) => left.startMs - right.startMs)) {
    const start = Math.max(from, pause.startMs)
    const end = Math.min(endMs, pause.endMs)
    if (end <= start) continue
    paused += end - start
    from = end
  }
  return paused
}
