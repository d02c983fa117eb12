import { afterAll, beforeAll, describe } from 'vitest'
import { describeInvocationStore } from '../conformance/invocation-store.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, sharedRedis } from '../helpers/redis-server.ts'
import { makeReplicas } from '../helpers/redis-stores.ts'

const reason = redisUnavailable()

describe.skipIf(reason !== undefined)(`over Redis${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let redis: Pick<RedisServer, 'url' | 'close'>
  beforeAll(async () => {
    redis = await sharedRedis()
  }, 180_000)
  afterAll(() => redis?.close())

  describeInvocationStore('the store in Redis', (retentionMs) =>
    makeReplicas({ url: redis.url, retentionMs, timeoutMs: 10_000 }),
  )
})
