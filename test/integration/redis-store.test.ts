import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { stringifyExact } from '../../src/entity-registry/exact-json.ts'
import { keysOf } from '../../src/gateway/invocations/redis-records.ts'
import { describeInvocationStore } from '../conformance/invocation-store.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, sharedRedis } from '../helpers/redis-server.ts'
import { clientOf, makeReplicas } from '../helpers/redis-stores.ts'
import { until } from '../helpers/until.ts'

const reason = redisUnavailable()

describe.skipIf(reason !== undefined)(`over Redis${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let redis: Pick<RedisServer, 'url' | 'close'>
  beforeAll(async () => {
    redis = await sharedRedis()
  }, 180_000)
  afterAll(() => redis?.close())

  /** Two replicas, and who looks into their Redis; closed with the test. */
  async function makeLab() {
    const prefix = `test-${randomUUID()}`
    const { replicas, close } = await makeReplicas({ url: redis.url, prefix, timeoutMs: 10_000 })
    const client = clientOf(redis.url)
    onTestFinished(async () => {
      client.disconnect()
      await close()
    })
    return { prefix, client, replicas }
  }

  describeInvocationStore('the store in Redis', (retentionMs) =>
    makeReplicas({ url: redis.url, retentionMs, timeoutMs: 10_000 }),
  )

  it('learns of ends of which no message came, of many that are awaited and after a while, too', async () => {
    const { prefix, client, replicas } = await makeLab()
    const [a, b] = replicas
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
  }, 30_000)

  it('leaves nothing in Redis for ever, whatever is asked of what is there, of what is over and of what never was', async () => {
    const { prefix, client, replicas } = await makeLab()
    const [a, b] = replicas
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
  })

  it('shows the answer of a call that was not sent for five minutes, and then knows nothing of it', async () => {
    const { prefix, client, replicas } = await makeLab()
    const [a, b] = replicas
    const record = runningRecord()
    await a.open(record, undefined)
    await a.release(record.id, undefined, storedAnswer('1', 503))
    await client.connect()
    const { released } = keysOf(prefix, record.id)
    const leftMs = await client.pttl(released)
    expect(leftMs).toBeGreaterThan(270_000)
    expect(leftMs).toBeLessThanOrEqual(300_000)
    await client.del(released)
    expect(await b.read(record.id)).toBeUndefined()
  })

  it('gives its answer to who waits on the spot, though Redis has lost the record', async () => {
    const { prefix, client, replicas } = await makeLab()
    const [a] = replicas
    const answer = storedAnswer('1')
    const record = runningRecord()
    await a.open(record, undefined)
    const waiting = a.waitFor(record.id, Date.now() + 5_000)
    // So that the wait has begun.
    await a.read(record.id)
    await client.connect()
    await client.del(keysOf(prefix, record.id).record)
    expect(await a.finish(record.id, answer)).toBe(false)
    expect(await waiting).toEqual(answer)
  })

  it('takes a replica that has gone silent for dead after three seconds, though others live', async () => {
    const { replicas } = await makeLab()
    const [a, b] = replicas
    const silentFrom = performance.now()
    await b.beat('bbbbbb')
    expect(await a.beat('aaaaaa')).toEqual(new Set(['aaaaaa', 'bbbbbb']))
    await until('it is taken for dead', async () => !(await a.beat('aaaaaa')).has('bbbbbb'))
    expect(performance.now() - silentFrom).toBeGreaterThan(2_500)
  })

  it('holds nothing for who has waited for what is over or is not there', async () => {
    const { replicas } = await makeLab()
    const [a] = replicas
    const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
    const record = runningRecord()
    await a.open(record, undefined)
    await a.finish(record.id, storedAnswer('1'))
    const before = timers()
    const later = Date.now() + 3_600_000
    await Promise.all(Array.from({ length: 100 }, (_, n) => a.waitFor(n % 2 === 0 ? record.id : randomUUID(), later)))
    await until('nothing waits', () => timers() < before + 20)
  })
})
