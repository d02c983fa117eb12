import type { RuntimeAdapter } from '../../runtime-adapters/contract.ts'
import { metrics } from './metric-definition.ts'
import type { MetricPage, Sample } from './metric-page.ts'

const replyResults = ['answered', 'late', 'duplicate', 'foreign', 'unreadable']
const PENDING = 'pending'

/** What adapters count by themselves, read at each scrape. */
export function addAdapterMetrics(page: MetricPage, adapters: ReadonlyMap<string, RuntimeAdapter>): void {
  function* counted(isWanted: (name: string) => boolean): Generator<readonly [number, string, string]> {
    for (const [runtime, adapter] of adapters) {
      for (const [name, value] of Object.entries(adapter.counters())) if (isWanted(name)) yield [value, runtime, name]
    }
  }
  function* pending(): Generator<Sample> {
    for (const [value, runtime] of counted((name) => name === PENDING)) yield [value, runtime]
  }
  function* events(): Generator<Sample> {
    for (const [value, runtime, name] of counted((name) => name !== PENDING && !replyResults.includes(name))) {
      yield [value, runtime, snakeCase(name)]
    }
  }
  page.ask(metrics.pending, pending)
  page.ask(metrics.replies, () => counted((name) => replyResults.includes(name)))
  page.ask(metrics.runtimeEvents, events)
}

/** `rolledBack` → `rolled_back` */
function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
