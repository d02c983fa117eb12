import type { FastifyInstance } from 'fastify'
import type { Admit } from '../../routes/operation-rules.ts'
import type { HealthCheck, Invoke, Log } from '../../runtime-adapters/contract.ts'
import type { Config } from '../config.ts'
import type { MetricPage } from '../observability/metric-page.ts'
import { createAdaptiveLimits } from './adaptive-limits.ts'
import { createBoundedCalls } from './bounded-calls.ts'
import { createLimitMetrics } from './limit-metrics.ts'
import { parseQuota } from './quota.ts'
import { createRateLimits } from './rate-limits.ts'
import { createRates } from './rates.ts'

/** What keeps one caller, one entity or one slow runtime from taking everything. Outlives the routes. */
export interface Limits {
  /** `undefined`: there are no quotas. */
  readonly admit: Admit | undefined
  /** A link of the chain. */
  bound(invoke: Invoke): Invoke
  /** After what refuses more cheaply, and before who calls is asked. */
  registerHooks(app: FastifyInstance): void
  checks(): readonly HealthCheck[]
  start(): Promise<void>
  /** The end has come: a line that has waited until now is refused as those are that were not begun. */
  refuseWaiting(): void
  close(): void
}

export interface LimitsOptions {
  readonly config: Config
  readonly log: Log
  /** `undefined`: nothing is counted. */
  readonly page: MetricPage | undefined
}

/** @throws Error when the address or a file of Redis can't be used */
export async function createLimits({ config, log, page }: LimitsOptions): Promise<Limits> {
  const { limits, maxPending } = config
  const perCaller = parseQuota('caller', limits.ratePerCaller)
  const perKey = parseQuota('key', limits.ratePerKey)
  const adaptive = limits.adaptive ? createAdaptiveLimits(limits, maxPending) : undefined
  const metrics = createLimitMetrics(page, { adaptive, queued: () => bounds.room.size })
  const bounds = createBoundedCalls({
    ...{ maxPerEntity: limits.maxInFlightPerEntity, maxPerKey: limits.maxInFlightPerKey },
    ...{ adaptiveOf: adaptive && ((name: string) => adaptive.of(name)), onShed: metrics.onShed },
  })
  adaptive?.onTick(bounds.room.wake)
  const isBounded = limits.maxInFlightPerEntity > 0 || limits.maxInFlightPerKey > 0 || adaptive !== undefined
  const hasQuotas = perCaller !== undefined || perKey !== undefined
  const rates = hasQuotas ? await createRates({ config, log, onLocal: metrics.onLocal }) : undefined
  return {
    admit: rates && createRateLimits({ perCaller, perKey, store: rates, onRefused: metrics.onRefused }),
    bound: (invoke) => (isBounded ? bounds.bound(invoke) : invoke),
    registerHooks(app) {
      adaptive?.registerDoor(app, () => metrics.onShed('door'))
    },
    refuseWaiting: () => bounds.room.close(),
    checks: () => rates?.checks() ?? [],
    async start() {
      adaptive?.start()
      await rates?.start()
    },
    close() {
      adaptive?.stop()
      rates?.close()
    },
  }
}
