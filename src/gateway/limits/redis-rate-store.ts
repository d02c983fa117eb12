import { StoreUnavailable } from '../../routes/invocation-store.ts'
import type { Log } from '../../runtime-adapters/contract.ts'
import type { RedisServers } from '../invocations/redis-client.ts'
import { RedisConnection } from '../invocations/redis-connection.ts'
import { script } from '../invocations/redis-scripts.ts'
import type { Count, RateStore } from './rate-store.ts'

export interface RedisRateStoreOptions {
  readonly servers: RedisServers
  /** How all keys begin. */
  readonly prefix: string
  readonly log: Log
}

/**
 * In the last millisecond of a window its count is still there, with no time left: it must not go on in the next.
 * KEYS: bucket. ARGV: ms of the window. Returns the calls so far, and ms to the end of the window.
 */
const countScript = script(`
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
  return { 1, tonumber(ARGV[1]) }
end
return { redis.call('INCR', KEYS[1]), left }`)

/** Counts of all replicas, by Redis's own clock. A bucket ends with its window. */
export function createRedisRateStore({ servers, prefix, log }: RedisRateStoreOptions): RateStore {
  const name = 'Redis for the rate limits'
  const connection = new RedisConnection({ servers, log, name, consequence: 'each replica counts by itself' })
  return {
    async count(bucket, { windowSeconds }): Promise<Count> {
      const keys = [`${prefix}:rate:${bucket}`]
      const reply = await connection.run({ script: countScript, keys, args: [windowSeconds * 1_000] })
      const [calls, leftMs] = Array.isArray(reply) ? reply.map(Number) : []
      if (calls === undefined || leftMs === undefined) throw new StoreUnavailable('Redis gave no count.')
      return { calls, leftMs }
    },
    start: () => connection.start(),
    close: () => connection.close(),
  }
}
