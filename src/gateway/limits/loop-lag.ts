import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop is: what is asked of it now waits for so long before anything is done about it. */
export interface LoopLag {
  start(): void
  /** Mean milliseconds since the last time it was asked; 0 while nothing is known. */
  take(): number
  stop(): void
}

const RESOLUTION_MS = 10
const NANOSECONDS_PER_MS = 1e6

export function createLoopLag(): LoopLag {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  return {
    start: () => void delay.enable(),
    take() {
      // The histogram counts the timer's own interval too; without a value yet it says NaN.
      const lagMs = delay.mean / NANOSECONDS_PER_MS - RESOLUTION_MS
      delay.reset()
      return Number.isFinite(lagMs) ? Math.max(0, lagMs) : 0
    },
    stop: () => void delay.disable(),
  }
}
