import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type InvocationStore, StoreUnavailable } from '../../src/routes/invocation-store.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { clientOf, makeRedisStore, makeReplicas } from '../helpers/redis-stores.ts'
import { until } from '../helpers/until.ts'

const reason = redisUnavailable()
const answer = storedAnswer('{"done":true}')

/** Everything that a store can be asked. */
const questions: Readonly<Record<string, (store: InvocationStore) => Promise<unknown>>> = {
  open: (store) => store.open(runningRecord(), randomUUID()),
  read: (store) => store.read(randomUUID()),
  accept: (store) => store.accept(randomUUID()),
  finish: (store) => store.finish(randomUUID(), answer),
  release: (store) => store.release(randomUUID(), randomUUID(), answer),
  waitFor: (store) => store.waitFor(randomUUID(), Date.now() + 60_000),
  waitForAcceptance: (store) => store.waitForAcceptance(randomUUID(), Date.now() + 60_000),
  beat: (store) => store.beat('aaaaaa'),
  leave: (store) => store.leave('aaaaaa'),
}

async function isBack(store: InvocationStore): Promise<boolean> {
  return (await store.health()).ok
}

describe.skipIf(reason !== undefined)(`Redis goes away${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let redis: RedisServer
  let lab: Awaited<ReturnType<typeof makeReplicas>>
  beforeEach(async () => {
    redis = await startRedis({ appendOnly: true })
    lab = await makeReplicas({ url: redis.url })
  }, 180_000)
  afterEach(async () => {
    redis?.continue()
    await lab?.close()
    await redis?.close()
    vi.restoreAllMocks()
  })

  it.each(Object.entries(questions))('%s is refused while it is stopped, and while it is dead', async (_name, ask) => {
    const [a] = lab.replicas
    for (const goAway of [() => redis.stop(), () => redis.kill()]) {
      await goAway()
      const limit = AbortSignal.timeout(1_000)
      await expect(ask(a)).rejects.toThrow(StoreUnavailable)
      expect(limit.aborted).toBe(false)
      expect(await a.health()).toMatchObject({ ok: false, detail: expect.stringContaining('Redis') })
    }
  })

  it('is left when it is silent, also after the clock was set back', async () => {
    const [a] = lab.replicas
    expect(await isBack(a)).toBe(true)
    const now = Date.now
    vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000)
    redis.stop()
    await expect(a.read(randomUUID())).rejects.toThrow('it did not answer in time')
    await expect(a.read(randomUUID())).rejects.toThrow('Redis can’t be reached: it does not answer')
  })

  it('has its records again after a kill and a restart, and takes new ones', async () => {
    const [a, b] = lab.replicas
    const scope = randomUUID()
    const record = runningRecord()
    await a.open(record, scope)
    await redis.kill()
    await until('the death is noticed', async () => !(await isBack(a)))
    await redis.restart()
    await until('both are back', async () => (await isBack(a)) && (await isBack(b)))
    expect(await b.open(runningRecord(), scope)).toEqual({ kind: 'exists', record })
    expect(await b.finish(record.id, answer)).toBe(true)
    expect(await a.open(runningRecord(), randomUUID())).toEqual({ kind: 'opened' })
  })

  it('tells those who have waited since before, on all replicas', async () => {
    const [a, b, c] = lab.replicas
    const record = runningRecord()
    await a.open(record, undefined)
    const waiting = [b.waitFor(record.id, Date.now() + 15_000), c.waitFor(record.id, Date.now() + 15_000)]
    await b.read(record.id)
    await c.read(record.id)
    await redis.kill()
    await redis.restart()
    // The message can go out before the others listen again: then they look by themselves.
    await until('it is finished', () => a.finish(record.id, answer).catch(() => false))
    expect(await Promise.all(waiting)).toEqual([answer, answer])
  })

  it('keeps nobody waiting for what happens on the spot', async () => {
    const [a] = lab.replicas
    const [accepted, released] = [runningRecord({ state: 'queued' }), runningRecord({ state: 'queued' })]
    for (const record of [accepted, released]) await a.open(record, undefined)
    const waiting = [
      a.waitForAcceptance(accepted.id, Date.now() + 5_000),
      a.waitFor(released.id, Date.now() + 5_000),
      a.waitForAcceptance(released.id, Date.now() + 5_000),
    ]
    // So that the waits have begun.
    await a.read(accepted.id)
    redis.stop()
    await expect(a.accept(accepted.id)).rejects.toThrow(StoreUnavailable)
    await expect(a.release(released.id, undefined, answer)).rejects.toThrow(StoreUnavailable)
    expect(await Promise.all(waiting)).toEqual(['accepted', answer, answer])
  })

  it('frees the scope of a call that it took after the caller was told that it did not', async () => {
    const [a, b] = lab.replicas
    const scope = randomUUID()
    redis.stop()
    await expect(a.open(runningRecord(), scope)).rejects.toThrow(StoreUnavailable)
    redis.continue()
    const again = runningRecord()
    await until('the scope is free', async () => {
      const opened = await b.open(again, scope).catch(() => undefined)
      return opened?.kind === 'opened'
    })
    await until('the first is back', () => isBack(a))
    expect(await a.open(runningRecord(), scope)).toEqual({ kind: 'exists', record: again })
  })

  it('gives who joined such a call the answer that it was not sent', async () => {
    const [a, b] = lab.replicas
    const scope = randomUUID()
    const record = runningRecord()
    redis.stop()
    await expect(a.open(record, scope)).rejects.toThrow(StoreUnavailable)
    redis.continue()
    await until('it was taken back', async () => {
      const told = await b.waitFor(record.id, Date.now()).catch(() => undefined)
      return told !== undefined
    })
    const told = await b.waitFor(record.id, Date.now() + 5_000)
    expect(told).toMatchObject({ status: 503 })
    expect(JSON.parse(told?.body ?? '')).toMatchObject({ code: 'store_unavailable', outcome: 'not_sent' })
  })

  it('forgets a call without a scope that it took after the caller was told that it did not', async () => {
    const [a, b] = lab.replicas
    const record = runningRecord()
    // A server that does not know the script yet would not take the call.
    await a.open(runningRecord(), undefined)
    redis.stop()
    await expect(a.open(record, undefined)).rejects.toThrow(StoreUnavailable)
    redis.continue()
    // What came to the server before has been done when it answers this.
    await until('the server answers', () => isBack(b))
    await until('it was forgotten', async () => (await b.read(record.id)) === undefined)
  })

  it('keeps nothing of 25,000 questions that it never answered', async () => {
    const [a] = lab.replicas
    redis.stop()
    const refused = await Promise.all(
      Array.from({ length: 25_000 }, () =>
        a.read(randomUUID()).then(
          () => 'read',
          () => 'refused',
        ),
      ),
    )
    expect(new Set(refused)).toEqual(new Set(['refused']))
    redis.continue()
    await until('it is back', () => isBack(a))
    expect(await a.read(randomUUID())).toBeUndefined()
  })

  it('is asked no more than 20,000 things at once: further ones are refused on the spot', async () => {
    const [a] = lab.replicas
    redis.stop()
    const messages = await Promise.all(
      Array.from({ length: 20_100 }, () => a.read(randomUUID()).then(String, ({ message }: Error) => message)),
    )
    expect(messages.filter((message) => message === '20000 exchanges with Redis are under way.')).toHaveLength(100)
  })

  it('has no connection left once all stores are closed', async () => {
    const client = clientOf(redis.url)
    await client.connect()
    try {
      const connections = async () =>
        String(await client.call('CLIENT', 'LIST'))
          .trim()
          .split('\n').length
      expect(await connections()).toBe(1 + 2 * lab.replicas.length)
      await lab.close()
      await until('only this one is open', async () => (await connections()) === 1)
    } finally {
      client.disconnect()
    }
  })

  it('does not take its replicas for dead because it has forgotten them', async () => {
    const [a, b] = lab.replicas
    await a.beat('aaaaaa')
    await b.beat('bbbbbb')
    expect(await a.beat('aaaaaa')).toEqual(new Set(['aaaaaa', 'bbbbbb']))
    await redis.kill()
    await until('the death is noticed', async () => !(await isBack(a)))
    await redis.restart()
    await until('it is back', () => isBack(a))
    const client = clientOf(redis.url)
    await client.connect()
    await client.flushall()
    client.disconnect()
    expect(await a.beat('aaaaaa')).toEqual(new Set(['aaaaaa', 'bbbbbb']))
  })

  it('lets a store close at once, and what waits there end', async () => {
    const [a] = lab.replicas
    const record = runningRecord()
    await a.open(record, undefined)
    const waiting = a.waitFor(record.id, Date.now() + 60_000)
    await a.read(record.id)
    redis.stop()
    const closed = a.close()
    expect(await waiting).toBeUndefined()
    await closed
    await expect(a.read(record.id)).rejects.toThrow(StoreUnavailable)
  })

  it('may be away when a store starts', async () => {
    await redis.kill()
    const store = makeRedisStore({ url: redis.url })
    try {
      await store.start()
      expect(await store.health()).toMatchObject({ ok: false })
      await redis.restart()
      await until('it is there', () => isBack(store))
      expect(await store.open(runningRecord(), undefined)).toEqual({ kind: 'opened' })
    } finally {
      await store.close()
    }
  })
})

describe.skipIf(reason !== undefined)('1,000 calls with one scope', () => {
  it('over three clients open once', async () => {
    const redis = await startRedis()
    const lab = await makeReplicas({ url: redis.url, timeoutMs: 10_000 })
    try {
      const scope = randomUUID()
      const records = Array.from({ length: 1_000 }, () => runningRecord())
      const results = await Promise.all(
        records.map((record, index) => (lab.replicas[index % 3] ?? lab.replicas[0]).open(record, scope)),
      )
      expect(results.filter(({ kind }) => kind === 'opened')).toHaveLength(1)
      const ids = new Set(results.flatMap((one) => (one.kind === 'exists' ? [one.record.id] : [])))
      expect(ids).toEqual(new Set([records[results.findIndex(({ kind }) => kind === 'opened')]?.id]))
    } finally {
      await lab.close()
      await redis.close()
    }
  }, 60_000)
})
