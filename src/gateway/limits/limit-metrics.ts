import { metrics } from '../observability/metric-definition.ts'
import type { MetricPage, Sample } from '../observability/metric-page.ts'
import type { AdaptiveLimit } from './adaptive-limit.ts'
import type { AdaptiveLimits } from './adaptive-limits.ts'
import type { Shedding } from './bounded-calls.ts'
import type { Quota } from './quota.ts'

/** What the limits tell of themselves; never whom they refused. */
export interface LimitMetrics {
  onShed(cause: Shedding | 'door'): void
  onRefused(policy: Quota['policy']): void
  onLocal(): void
}

export interface LimitNumbers {
  readonly adaptive: Pick<AdaptiveLimits, 'all'> | undefined
  readonly queued: () => number
}

export function createLimitMetrics(page: MetricPage | undefined, { adaptive, queued }: LimitNumbers): LimitMetrics {
  if (page === undefined) return { onShed: () => undefined, onRefused: () => undefined, onLocal: () => undefined }
  const shed = page.numbers(metrics.shed)
  const limited = page.numbers(metrics.rateLimited)
  const local = page.numbers(metrics.rateLocal).cell()
  function* each(value: (limit: AdaptiveLimit) => number): Generator<Sample> {
    for (const [runtime, limit] of adaptive?.all ?? []) yield [value(limit), runtime]
  }
  page.ask(metrics.callLimit, () => each(({ limit }) => limit))
  page.ask(metrics.callsInFlight, () => each(({ inFlight }) => inFlight))
  page.ask(metrics.callsQueued, () => [[queued()]])
  return {
    onShed: (cause) => void shed.cell(cause).value++,
    onRefused: (policy) => void limited.cell(policy).value++,
    onLocal: () => void local.value++,
  }
}
