import type { InvocationStore } from '../../routes/invocation-store.ts'
import type { Log } from '../../runtime-adapters/contract.ts'
import type { Config } from '../config.ts'
import { withAnswerLimit } from './answer-limit.ts'
import { createMemoryStore } from './memory-store.ts'
import { parseRedisUrl } from './redis-address.ts'
import type { RedisServers } from './redis-client.ts'
import { type RedisOptions, readRedisTls, refuseUnused } from './redis-options.ts'

/**
 * Redis where its address is given, this process's memory otherwise.
 * @throws Error when the address or a file of the configuration can't be used
 */
export async function createStore(config: Config, log: Log): Promise<InvocationStore> {
  const { redis, retentionMs, maxInvocations, maxKeptBytes, maxAnswerBytes } = config
  const store =
    redis.url === undefined
      ? createMemoryStore({ retentionMs, maxRecords: maxInvocations, maxBytes: maxKeptBytes })
      : await createRedisStore(redis.url, redis, { retentionMs, log })
  return withAnswerLimit(store, maxAnswerBytes)
}

/** Redis's client is loaded only where there is a Redis. */
async function createRedisStore(
  url: string,
  options: RedisOptions,
  { retentionMs, log }: { readonly retentionMs: number; readonly log: Log },
): Promise<InvocationStore> {
  const { RedisStore } = await import('./redis-store.ts')
  return new RedisStore({ servers: redisServers(url, options), prefix: options.prefix, retentionMs, log })
}

/** @throws Error when the address or a file can't be used, or a setting would be ignored */
export function redisServers(url: string, options: RedisOptions): RedisServers {
  const { timeoutMs, sentinelUsername, sentinelPassword } = options
  const address = parseRedisUrl(url)
  refuseUnused(options, address)
  return { address, tls: readRedisTls(options), timeoutMs, sentinelUsername, sentinelPassword }
}
