import type { HealthCheck, Log } from '../../runtime-adapters/contract.ts'
import type { Config } from '../config.ts'
import { redisServers } from '../invocations/create-store.ts'
import { createMemoryRateStore } from './memory-rate-store.ts'
import type { RateStore } from './rate-store.ts'
import { createSteadyRateStore } from './steady-rate-store.ts'

export interface Rates extends RateStore {
  checks(): readonly HealthCheck[]
}

export interface RatesOptions {
  readonly config: Config
  readonly log: Log
  /** A call was counted in this replica alone, though replicas count together. */
  readonly onLocal: () => void
}

/**
 * In Redis where there is one and replicas are to count together, in this process's memory otherwise.
 * @throws Error when the address or a file of the configuration can't be used
 */
export async function createRates({ config: { limits, redis }, log, onLocal }: RatesOptions): Promise<Rates> {
  const local = createMemoryRateStore({ maxBuckets: limits.rateMaxBuckets })
  if (redis.url === undefined || !limits.rateShared) return { ...local, checks: () => [] }
  const servers = redisServers(redis.url, redis)
  // Redis's client is loaded only where there is a Redis.
  const { createRedisRateStore } = await import('./redis-rate-store.ts')
  const shared = createRedisRateStore({ servers, prefix: redis.prefix, log })
  const steady = createSteadyRateStore({ shared, local, onLocal })
  return { ...steady, checks: () => [steady.health()] }
}
