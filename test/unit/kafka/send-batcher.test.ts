import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { PartitionBatch, ProduceVerdict } from '../../../src/runtime-adapters/kafka/produce-verdict.ts'
import { type ProducePort, SendBatcher } from '../../../src/runtime-adapters/kafka/send-batcher.ts'
import type { SendResult } from '../../../src/runtime-adapters/kafka/transport.ts'

const acknowledged: ProduceVerdict = { kind: 'acknowledged' }

const turn = () => new Promise((resolve) => setImmediate(resolve))

interface Sent {
  readonly leader: number
  readonly batches: readonly (readonly string[])[]
}

function setup(
  answer: (batch: PartitionBatch, request: number) => ProduceVerdict | Promise<ProduceVerdict>,
  more = {},
  sendTimeoutMs = 10_000,
) {
  const sent: Sent[] = []
  let refreshes = 0
  const port: ProducePort = {
    leaderOf: (_topic, partition) => partition % 2,
    refresh: async () => void refreshes++,
    produce: async (leader, batches) => {
      const request = sent.length
      sent.push({ leader, batches: batches.map(({ records }) => records.map(({ value }) => value.toString())) })
      return Promise.all(batches.map((batch) => answer(batch, request)))
    },
    ...more,
  }
  const batcher = new SendBatcher({ port, sendTimeoutMs, maxBatchBytes: 1_000 })
  const add = (value: string, partition = 0, headers: Readonly<Record<string, string>> = {}) =>
    batcher.add({ topic: 't', key: Buffer.from('k'), value: Buffer.from(value), headers }, partition)
  return { batcher, add, sent, refreshes: () => refreshes }
}

describe('the send batcher', () => {
  it('sends all of one turn together: one request a leader, one batch a partition', async () => {
    const { batcher, add, sent } = setup(() => acknowledged)
    const results = await Promise.all([add('a', 0), add('b', 1), add('c', 0), add('d', 2)])
    expect(results).toEqual(Array(4).fill(acknowledged))
    expect(sent).toEqual([
      { leader: 0, batches: [['a', 'c'], ['d']] },
      { leader: 1, batches: [['b']] },
    ])
    await batcher.close(0)
  })

  it('keeps one request to a broker on the way, and gathers what comes meanwhile in the next', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setup((_batch, request) => (request === 0 ? held.promise : acknowledged))
    const results = []
    for (const [value, partition] of [
      ['a', 0],
      ['b', 2],
      ['c', 4],
    ] as const) {
      results.push(add(value, partition))
      await turn()
    }
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']]])
    const other = add('d', 1)
    await other
    held.resolve(acknowledged)
    expect(await Promise.all(results)).toEqual(Array(3).fill(acknowledged))
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']], [['d']], [['b'], ['c']]])
    await batcher.close(0)
  })

  it('waits a moment for further ones while many come, and no more when few have come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { batcher, add, sent } = setup(() => acknowledged)
    await Promise.all(Array.from({ length: 16 }, (_, index) => add(String(index))))
    const gathered = [add('a')]
    await turn()
    gathered.push(add('b'))
    await turn()
    expect(sent).toHaveLength(1)
    vi.advanceTimersByTime(2)
    await Promise.all(gathered)
    await add('c')
    expect(sent.slice(1).map(({ batches }) => batches)).toEqual([[['a', 'b']], [['c']]])
    await batcher.close(0)
  })

  it('keeps one batch of a partition on the way, and gathers what comes meanwhile', async () => {
    const first = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setup((_batch, request) => (request === 0 ? first.promise : acknowledged))
    const results = [add('a')]
    for (const value of ['b', 'c']) {
      await turn()
      results.push(add(value))
    }
    await turn()
    expect(sent).toHaveLength(1)
    first.resolve(acknowledged)
    await Promise.all(results)
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']], [['b', 'c']]])
    await batcher.close(0)
  })

  it('never makes a batch larger than a topic takes, but for a single record', async () => {
    const { batcher, add, sent } = setup(() => acknowledged)
    await Promise.all([add('x'.repeat(600)), add('y'.repeat(600)), add('z'.repeat(2_000))])
    expect(sent.map(({ batches }) => batches.map((values) => values.length))).toEqual([[1], [1], [1]])
    await batcher.close(0)
  })

  it('counts keys, headers, and what a record adds to its bytes, among those of a batch', async () => {
    const { batcher, add, sent } = setup(() => acknowledged)
    await Promise.all([add('x'.repeat(400), 0, { traceparent: '€'.repeat(50) }), add('x'.repeat(400))])
    await Promise.all([add('x'.repeat(450)), add('x'.repeat(450))])
    const long = { topic: 't', key: Buffer.alloc(450, 'k'), value: Buffer.from('x') }
    await Promise.all([batcher.add(long, 0), batcher.add(long, 0)])
    expect(sent.map(({ batches }) => batches.map((values) => values.length))).toEqual(Array(6).fill([1]))
    await batcher.close(0)
  })

  it('sends again, in order, what was surely not appended, after asking who leads', async () => {
    const { batcher, add, sent, refreshes } = setup((_batch, request) =>
      request === 0 ? { kind: 'try-again', detail: 'stale' } : acknowledged,
    )
    const early = [add('a'), add('b')]
    await turn()
    const results = await Promise.all([...early, add('c')])
    expect(results).toEqual(Array(3).fill(acknowledged))
    expect(sent[1]?.batches).toEqual([['a', 'b', 'c']])
    expect(refreshes()).toBe(1)
    await batcher.close(0)
  })

  it('sends what must go again before what came meanwhile', async () => {
    const first = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setup((_batch, request) => (request === 0 ? first.promise : acknowledged))
    const early = add('a')
    await turn()
    const later = add('b')
    first.resolve({ kind: 'try-again', detail: 'stale' })
    await Promise.all([early, later])
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']], [['a', 'b']]])
    await batcher.close(0)
  })

  it('says not-sent of what must go again while it closes', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, refreshes } = setup(() => held.promise)
    const travelling = add('a')
    await turn()
    const closed = batcher.close(1_000)
    held.resolve({ kind: 'try-again', detail: 'stale' })
    await closed
    expect(refreshes()).toBe(0)
    expect(await travelling).toEqual({ kind: 'not-sent', cause: 'broker-unavailable', detail: 'stale' })
  })

  it('never sends again what may have been appended', async () => {
    const { batcher, add, sent, refreshes } = setup(() => ({ kind: 'unknown', detail: 'lost' }))
    expect(await add('a')).toEqual({ kind: 'unknown', detail: 'lost' })
    expect(sent).toHaveLength(1)
    // Whoever leads now may be another.
    expect(refreshes()).toBe(1)
    await batcher.close(0)
  })

  it('asks who leads as often as it is told to try again', async () => {
    const { batcher, add, sent, refreshes } = setup((_batch, request) =>
      request < 4 ? { kind: 'try-again', detail: 'stale' } : acknowledged,
    )
    const results = await Promise.all([add('a', 0), add('b', 1)])
    expect(results).toEqual([acknowledged, acknowledged])
    // Of both partitions at once.
    expect([sent.length, refreshes()]).toEqual([6, 2])
    await batcher.close(0)
  })

  it('says the same of all that was refused together, and sends none of it again', async () => {
    const { batcher, add, sent } = setup(() => ({ kind: 'refused', cause: 'broker-unavailable', detail: 'forbidden' }))
    const refused = { kind: 'not-sent', cause: 'broker-unavailable', detail: 'forbidden' }
    expect(await Promise.all([add('a'), add('b')])).toEqual([refused, refused])
    expect(sent).toHaveLength(1)
    await batcher.close(0)
  })

  it('says not-sent, with the reason, of what never left in time', async () => {
    const { batcher, add, sent } = setup(() => acknowledged, { leaderOf: () => undefined }, 300)
    expect(await add('a')).toEqual({
      kind: 'not-sent',
      cause: 'broker-unavailable',
      detail: 'The partition has no leader.',
    })
    expect(sent).toEqual([])
    await batcher.close(0)
  })

  it('says unknown of what left and was not acknowledged in time, and never sends it again', async () => {
    const late = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setup((_batch, request) => (request === 0 ? late.promise : acknowledged), {}, 300)
    expect((await add('a')).kind).toBe('unknown')
    late.resolve({ kind: 'try-again', detail: 'refused after all' })
    expect(await add('b')).toEqual(acknowledged)
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']], [['b']]])
    await batcher.close(0)
  })

  it('finds the one record that is too large by halves, and gathers again after that', async () => {
    const { batcher, add, sent } = setup(({ records }) =>
      records.some(({ value }) => value.toString() === 'big')
        ? { kind: 'refused', cause: 'too-large', detail: 'MESSAGE_TOO_LARGE' }
        : acknowledged,
    )
    const results = await Promise.all(['a', 'b', 'big', 'c', 'd'].map((value) => add(value)))
    expect(results.map(({ kind }) => kind)).toEqual([
      ...Array(2).fill('acknowledged'),
      'not-sent',
      ...Array(2).fill('acknowledged'),
    ])
    expect(sent.map(({ batches }) => batches[0]?.join())).toEqual([
      ...['a,b,big,c,d', 'a,b,big', 'a,b', 'big,c,d', 'big,c', 'big', 'c', 'd'],
    ])
    await Promise.all(['e', 'f'].map((value) => add(value)))
    expect(sent.at(-1)?.batches).toEqual([['e', 'f']])
    await batcher.close(0)
  })

  it('settles everything when it closes: what waits was not sent, what travels is unknown', async () => {
    const never = new Promise<ProduceVerdict>(() => {})
    const { batcher, add } = setup(() => never)
    const travelling = add('a')
    await turn()
    const waiting = add('b')
    await batcher.close(10)
    expect((await travelling).kind).toBe('unknown')
    expect((await waiting).kind).toBe('not-sent')
    expect((await add('c')).kind).toBe('not-sent')
  })

  it('sends nothing any more of what it called not-sent when it closed', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setup(() => held.promise)
    const travelling = add('a')
    await turn()
    const waiting = [add('b'), add('c', 1)]
    const closed = batcher.close(1_000)
    held.resolve(acknowledged)
    await closed
    await turn()
    expect((await Promise.all(waiting)).map(({ kind }) => kind)).toEqual(['not-sent', 'not-sent'])
    expect([await travelling, sent]).toEqual([acknowledged, [{ leader: 0, batches: [['a']] }]])
  })
})

describe('the send batcher in time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  })
  afterEach(() => void vi.useRealTimers())

  const setupShort = (answer: Parameters<typeof setup>[0], more = {}) => setup(answer, more, 300)

  /** What each of these was told so far. */
  function told(results: readonly Promise<SendResult>[]): readonly (string | undefined)[] {
    const kinds: (string | undefined)[] = results.map(() => undefined)
    for (const [index, result] of results.entries()) {
      void result.then(({ kind }) => {
        kinds[index] = kind
      })
    }
    return kinds
  }

  it('tells within the time of a send what it knows of it, and not long before; what it told is not sent after that', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setupShort(() => held.promise, {
      leaderOf: (_topic: string, partition: number) => (partition === 1 ? undefined : 0),
    })
    const kinds = told([add('travels')])
    await turn()
    const others = told([add('waits for it', 2), add('waits behind it'), add('has no leader', 1)])
    await vi.advanceTimersByTimeAsync(240)
    await turn()
    expect([...kinds, ...others]).toEqual([undefined, undefined, undefined, undefined])
    await vi.advanceTimersByTimeAsync(60)
    expect([...kinds, ...others]).toEqual(['unknown', 'not-sent', 'not-sent', 'not-sent'])
    held.resolve(acknowledged)
    await turn()
    await vi.advanceTimersByTimeAsync(1_000)
    await turn()
    expect(sent).toEqual([{ leader: 0, batches: [['travels']] }])
    await batcher.close(0)
  })

  it('never sends again what it called unknown, though the broker refuses it after all', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add, sent } = setupShort(() => held.promise)
    const kinds = told([add('a'), add('b')])
    await turn()
    await vi.advanceTimersByTimeAsync(300)
    expect(kinds).toEqual(['unknown', 'unknown'])
    held.resolve({ kind: 'refused', cause: 'too-large', detail: 'MESSAGE_TOO_LARGE' })
    await turn()
    await turn()
    expect(sent).toHaveLength(1)
    await batcher.close(0)
  })

  it('does not give as a reason what was long over', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add } = setupShort((_batch, request) => {
      if (request === 0) return { kind: 'try-again', detail: 'stale' }
      return request === 1 ? acknowledged : held.promise
    })
    const first = add('a')
    await turn()
    await vi.advanceTimersByTimeAsync(100)
    await turn()
    expect(await first).toEqual(acknowledged)
    void add('b')
    await turn()
    const behind = add('c')
    await vi.advanceTimersByTimeAsync(300)
    expect(await behind).toMatchObject({ kind: 'not-sent', detail: 'No broker took it in time.' })
    held.resolve(acknowledged)
    await batcher.close(0)
  })

  it('has no timer left once nothing is under way, and begins again with the next record', async () => {
    const { batcher, add } = setupShort(() => acknowledged, { leaderOf: () => undefined })
    for (let round = 0; round < 2; round++) {
      const kinds = told([add('a')])
      await turn()
      await vi.advanceTimersByTimeAsync(1_000)
      expect([kinds, vi.getTimerCount()]).toEqual([['not-sent'], 0])
    }
    await batcher.close(0)
  })

  it.each([
    ['was to be tried again', true],
    ['was asked who leads', false],
  ])('leaves no timer behind, though one broker never answers and another %s', async (_what, isAsked) => {
    const never = new Promise<ProduceVerdict>(() => {})
    const asked = Promise.withResolvers<void>()
    const { batcher, add } = setupShort(
      ({ partition }) => (partition === 0 ? never : { kind: 'try-again', detail: 'stale' }),
      { refresh: () => asked.promise },
    )
    if (isAsked) asked.resolve()
    const kinds = told([add('a', 0), add('b', 1)])
    await turn()
    await turn()
    const closed = batcher.close(10)
    await vi.advanceTimersByTimeAsync(10)
    await closed
    asked.resolve()
    await turn()
    expect([kinds, vi.getTimerCount()]).toEqual([['unknown', 'not-sent'], 0])
  })
})
