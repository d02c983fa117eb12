import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseRedisUrl } from '../../src/gateway/invocations/redis-address.ts'
import { createMemoryRateStore } from '../../src/gateway/limits/memory-rate-store.ts'
import type { Quota } from '../../src/gateway/limits/quota.ts'
import { createRedisRateStore } from '../../src/gateway/limits/redis-rate-store.ts'
import { createSteadyRateStore, type SteadyRateStore } from '../../src/gateway/limits/steady-rate-store.ts'
import { describeRateStore } from '../conformance/rate-store.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { until } from '../helpers/until.ts'

const reason = redisUnavailable()
const note = reason === undefined ? '' : ` [skipped: ${reason}]`
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const quota: Quota = { policy: 'caller', calls: 5, windowSeconds: 60 }

function makeStore(url: string, prefix: string) {
  const servers = {
    ...{ address: parseRedisUrl(url), tls: { rejectUnauthorized: true }, timeoutMs: 500 },
    ...{ sentinelUsername: undefined, sentinelPassword: undefined },
  }
  return createRedisRateStore({ servers, prefix, log: silent })
}

describe.skipIf(reason !== undefined)(`Redis${note}`, () => {
  describeRateStore('the rate store in Redis', async () => {
    const redis = await startRedis()
    const prefix = `test-${randomUUID()}`
    const replicas = [makeStore(redis.url, prefix), makeStore(redis.url, prefix)] as const
    await Promise.all(replicas.map((store) => store.start()))
    return {
      replicas,
      async close() {
        for (const store of replicas) store.close()
        await redis.close()
      },
    }
  })

  it('counts each gateway’s calls apart, by how its keys begin', async () => {
    const redis = await startRedis()
    const stores = [makeStore(redis.url, 'one'), makeStore(redis.url, 'other')]
    try {
      await Promise.all(stores.map((store) => store.start()))
      for (const store of stores) expect(await store.count('a', quota)).toMatchObject({ calls: 1 })
    } finally {
      for (const store of stores) store.close()
      await redis.close()
    }
  })
})

describe.skipIf(reason !== undefined)(`a quota without its Redis${note}`, () => {
  let redis: RedisServer
  let store: SteadyRateStore
  let localCounts = 0
  beforeEach(async () => {
    redis = await startRedis()
    localCounts = 0
    store = createSteadyRateStore({
      shared: makeStore(redis.url, `test-${randomUUID()}`),
      local: createMemoryRateStore({ maxBuckets: 100 }),
      onLocal: () => {
        localCounts++
      },
    })
    await store.start()
  }, 60_000)
  afterEach(async () => {
    store?.close()
    await redis?.close()
  })

  it('is given out by the replica alone, which says so, and shared again when it is back', async () => {
    expect((await store.count('a', quota)).calls).toBe(1)
    await redis.kill()
    expect((await store.count('a', quota)).calls).toBe(1)
    expect((await store.count('a', quota)).calls).toBe(2)
    expect(localCounts).toBe(2)
    expect(store.health()).toMatchObject({ ok: false, essential: false, detail: expect.stringContaining('by itself') })
    await redis.restart()
    await until('it counts in Redis again', async () => {
      await store.count('b', quota)
      return store.health().ok
    })
  })

  it('is waited for no longer than an exchange may take, and not again after the first', async () => {
    redis.stop()
    const startedAtMs = performance.now()
    for (let n = 0; n < 20; n++) await store.count('a', quota)
    expect(performance.now() - startedAtMs).toBeLessThan(1_500)
    expect(localCounts).toBe(20)
    redis.continue()
  })
})
