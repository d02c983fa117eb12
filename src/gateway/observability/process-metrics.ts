import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import process from 'node:process'
import { version } from '../version.ts'
import { metrics } from './metric-definition.ts'
import type { MetricPage } from './metric-page.ts'

/** Milliseconds between two looks at the clock: what the loop is late by is known to this much. */
const RESOLUTION_MS = 20
const NANOSECONDS = 1e9

/** The process itself. @returns ends the watch over its event loop */
export function addProcessMetrics(page: MetricPage): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  page.ask(metrics.info, () => [[1, version, process.versions.node]])
  // The histogram counts the timer's own interval too; without a value yet it says NaN.
  page.ask(metrics.lagMean, () => [[lagSeconds(delay.mean)]])
  page.ask(metrics.lagP99, () => [[lagSeconds(delay.percentile(99))]])
  page.ask(metrics.lagMax, () => {
    const max = lagSeconds(delay.max)
    delay.reset()
    return [[max]]
  })
  let before = performance.eventLoopUtilization()
  page.ask(metrics.loopUtilization, () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return [[utilization]]
  })
  page.ask(metrics.heapUsed, () => [[process.memoryUsage().heapUsed]])
  page.ask(metrics.heapTotal, () => [[process.memoryUsage().heapTotal]])
  page.ask(metrics.external, () => [[process.memoryUsage().external]])
  page.ask(metrics.resident, () => [[process.memoryUsage.rss()]])
  page.ask(metrics.cpu, () => {
    const { user, system } = process.cpuUsage()
    return [[(user + system) / 1e6]]
  })
  page.ask(metrics.started, () => [[performance.timeOrigin / 1_000]])
  return () => void delay.disable()
}

function lagSeconds(nanoseconds: number): number {
  const lag = nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000
  return Number.isFinite(lag) && lag > 0 ? lag : 0
}
