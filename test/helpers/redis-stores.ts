import { randomUUID } from 'node:crypto'
import { parseRedisUrl } from '../../src/gateway/invocations/redis-address.ts'
import { createRedisClient, type RedisServers } from '../../src/gateway/invocations/redis-client.ts'
import { RedisStore } from '../../src/gateway/invocations/redis-store.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

export interface RedisStoreSettings {
  readonly url: string
  readonly retentionMs?: number
  /** Stores with one prefix are replicas of each other; default: a prefix of its own. */
  readonly prefix?: string
  readonly ca?: string
  /** Longest time of an exchange; default: the gateway’s. */
  readonly timeoutMs?: number
}

export function makeRedisStore({
  url,
  retentionMs = 60_000,
  prefix = `test-${randomUUID()}`,
  ca,
  timeoutMs = 900,
}: RedisStoreSettings): RedisStore {
  return new RedisStore({ servers: serversOf({ url, ca, timeoutMs }), prefix, retentionMs, log: silent })
}

/** Beside a store; yet to be connected. */
export function clientOf(url: string): ReturnType<typeof createRedisClient> {
  return createRedisClient(serversOf({ url, timeoutMs: 10_000 }))
}

interface ServerSettings {
  readonly url: string
  readonly ca?: string | undefined
  readonly timeoutMs: number
}

function serversOf({ url, ca, timeoutMs }: ServerSettings): RedisServers {
  const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
  return { address: parseRedisUrl(url), tls, timeoutMs, sentinelUsername: undefined, sentinelPassword: undefined }
}

/** Three replicas' stores over one Redis; started. */
export async function makeReplicas(settings: RedisStoreSettings) {
  const all = { prefix: `test-${randomUUID()}`, ...settings }
  const replicas = [makeRedisStore(all), makeRedisStore(all), makeRedisStore(all)] as const
  await Promise.all(replicas.map((store) => store.start()))
  return {
    replicas,
    close: async () => {
      await Promise.all(replicas.map((store) => store.close()))
    },
  }
}
