import { randomUUID } from 'node:crypto'
import { parseRedisUrl } from '../../src/gateway/invocations/redis-address.ts'
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
  const tls = { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
  const servers = {
    timeoutMs,
    address: parseRedisUrl(url),
    tls,
    sentinelUsername: undefined,
    sentinelPassword: undefined,
  }
  return new RedisStore({ servers, prefix, retentionMs, log: silent })
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
