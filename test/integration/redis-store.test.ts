import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringifyExact } from '../../src/entity-registry/exact-json.ts'
import { keysOf } from '../../src/gateway/invocations/redis-records.ts'
import { describeInvocationStore } from '../conformance/invocation-store.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, sharedRedis } from '../helpers/redis-server.ts'
import { clientOf, makeReplicas } from '../helpers/redis-stores.ts'

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

  it('learns of ends of which no message came, of many that are awaited and after a while, too', async () => {
    const prefix = `test-${randomUUID()}`
    const lab = await makeReplicas({ url: redis.url, prefix, timeoutMs: 10_000 })
    const client = clientOf(redis.url)
    try {
      const [a, b] = lab.replicas
      const records = Array.from({ length: 600 }, () => runningRecord())
      await Promise.all(records.map((record) => a.open(record, undefined)))
      const waits = records.map(({ id }) => b.waitFor(id, Date.now() + 15_000))
      await client.connect()
      // It looks each second: whatever it looks for at once, it has looked for.
      await setTimeout(2_200)
      const answer = storedAnswer('1')
      for (const index of [0, 599]) {
        const key = keysOf(prefix, records[index]?.id ?? '').record
        await client.hset(key, 'answer', stringifyExact(answer))
      }
      expect(await Promise.all([waits[0], waits[599]])).toEqual([answer, answer])
    } finally {
      client.disconnect()
      await lab.close()
    }
  }, 30_000)

  it('leaves nothing in Redis for ever, whatever is asked of what is there, of what is over and of what never was', async () => {
    const prefix = `test-${randomUUID()}`
    const lab = await makeReplicas({ url: redis.url, prefix, timeoutMs: 10_000 })
    const client = clientOf(redis.url)
    try {
      const [a, b] = lab.replicas
      const answer = storedAnswer('1')
      const [open, finished, released] = [randomUUID(), randomUUID(), randomUUID()]
      const never = runningRecord({ state: 'queued' })
      for (const id of [open, finished, released]) await a.open({ ...never, id }, randomUUID())
      await a.finish(finished, answer)
      await a.release(released, undefined, answer)
      for (const id of [open, finished, released, never.id]) {
        await b.waitForAcceptance(id, Date.now())
        await b.accept(id)
      }
      await b.finish(never.id, answer)
      const unborn = randomUUID()
      await b.release(unborn, randomUUID(), answer)
      expect(await a.read(unborn)).toBeUndefined()
      await b.beat('aaaaaa')
      await client.connect()
      const keys = await client.keys(`${prefix}:*`)
      const lifetimes = await Promise.all(keys.map(async (key) => [key, await client.pttl(key)] as const))
      expect(lifetimes.length).toBeGreaterThan(9)
      expect(lifetimes.filter(([, ms]) => ms < 0)).toEqual([])
    } finally {
      client.disconnect()
      await lab.close()
    }
  })
})
