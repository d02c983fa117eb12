import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { RedisAddress } from './redis-address.ts'
import type { RedisTls } from './redis-options.ts'

/** Milliseconds to the next attempt to connect: at most this and a bit, so that an end of an outage is soon seen. */
const MAX_RETRY_MS = 1_000

export interface RedisServers {
  /** Milliseconds that any exchange may take. */
  readonly timeoutMs: number
  readonly address: RedisAddress
  readonly tls: RedisTls
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
}

export type RedisClient = Redis | Cluster

/**
 * A client that is not connected yet. Nothing is queued while there is no connection, and nothing is sent twice: what became
 * of a command whose connection broke is for the store to find out.
 */
export function createRedisClient(servers: RedisServers): RedisClient {
  const { address, timeoutMs } = servers
  const { hosts } = address
  const common = commonOptions(servers)
  const retry = { retryStrategy, enableOfflineQueue: false, lazyConnect: true }
  switch (address.kind) {
    case 'single':
      return new Redis({ ...common, ...retry, ...hosts[0], db: address.db })
    case 'sentinel':
      return new Redis({ ...common, ...retry, ...sentinelOptions(servers), db: address.db })
    case 'cluster':
      return new Cluster([...hosts], {
        redisOptions: common,
        clusterRetryStrategy: retryStrategy,
        enableOfflineQueue: false,
        lazyConnect: true,
        slotsRefreshTimeout: timeoutMs,
      })
  }
}

function commonOptions({ address, tls, timeoutMs }: RedisServers) {
  const { username, password } = address
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(address.tls ? { tls: { ...tls } } : {}),
    connectionName: 'stateflow-gateway',
    // Everything here is understood by version 2, and so are proxies between.
    protocol: 2,
    // Only so that nothing is waited for for ever: the store gives up earlier, and then leaves a silent server.
    commandTimeout: 2 * timeoutMs,
    connectTimeout: timeoutMs,
    disconnectTimeout: 100,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // The client's own attempt would reject unheard when the connection is lost again meanwhile: `redis-connection.ts` subscribes
    // at each `ready`.
    autoResubscribe: false,
    // A master that became a replica is left for the new master.
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  } satisfies RedisOptions
}

function sentinelOptions({ address, tls, timeoutMs, sentinelUsername, sentinelPassword }: RedisServers) {
  return {
    sentinels: [...address.hosts],
    ...(address.master === undefined ? {} : { name: address.master }),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: { ...tls } } : {}),
    sentinelRetryStrategy: retryStrategy,
    sentinelCommandTimeout: timeoutMs,
    failoverDetector: true,
  } satisfies RedisOptions
}

function retryStrategy(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 10), MAX_RETRY_MS) + Math.random() * 100
}
