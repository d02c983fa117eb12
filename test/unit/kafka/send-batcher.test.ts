import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { PartitionBatch, ProduceVerdict } from '../../../src/runtime-adapters/kafka/produce-verdict.ts'
import { type ProducePort, SendBatcher } from '../../../src/runtime-adapters/kafka/send-batcher.ts'

const acknowledged: ProduceVerdict = { kind: 'acknowledged' }

interface Sent {
  readonly leader: number
  readonly batches: readonly (readonly string[])[]
}

function setup(
  answer: (batch: PartitionBatch, request: number) => ProduceVerdict | Promise<ProduceVerdict>,
  more = {},
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
  const batcher = new SendBatcher({ port, sendTimeoutMs: 300, maxBatchBytes: 1_000 })
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
      await new Promise((resolve) => setImmediate(resolve))
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
    const turn = () => new Promise((resolve) => setImmediate(resolve))
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
      await new Promise((resolve) => setImmediate(resolve))
      results.push(add(value))
    }
    await new Promise((resolve) => setImmediate(resolve))
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

  it('counts headers, and what a record adds to its bytes, among those of a batch', async () => {
    const { batcher, add, sent } = setup(() => acknowledged)
    await Promise.all([add('x'.repeat(400), 0, { traceparent: 'y'.repeat(150) }), add('x'.repeat(400))])
    await Promise.all([add('x'.repeat(450)), add('x'.repeat(450))])
    expect(sent.map(({ batches }) => batches.map((values) => values.length))).toEqual([[1], [1], [1], [1]])
    await batcher.close(0)
  })

  it('sends again, in order, what was surely not appended, after asking who leads', async () => {
    const { batcher, add, sent, refreshes } = setup((_batch, request) =>
      request === 0 ? { kind: 'try-again', detail: 'stale' } : acknowledged,
    )
    const early = [add('a'), add('b')]
    await new Promise((resolve) => setImmediate(resolve))
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
    await new Promise((resolve) => setImmediate(resolve))
    const later = add('b')
    first.resolve({ kind: 'try-again', detail: 'stale' })
    await Promise.all([early, later])
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']], [['a', 'b']]])
    await batcher.close(0)
  })

  it('says not-sent of what must go again while it closes', async () => {
    const held = Promise.withResolvers<ProduceVerdict>()
    const { batcher, add } = setup(() => held.promise)
    const travelling = add('a')
    await new Promise((resolve) => setImmediate(resolve))
    const closed = batcher.close(1_000)
    held.resolve({ kind: 'try-again', detail: 'stale' })
    await closed
    expect(await travelling).toEqual({ kind: 'not-sent', cause: 'broker-unavailable', detail: 'stale' })
  })

  it('never sends again what may have been appended', async () => {
    const { batcher, add, sent } = setup(() => ({ kind: 'unknown', detail: 'lost' }))
    expect(await add('a')).toEqual({ kind: 'unknown', detail: 'lost' })
    expect(sent).toHaveLength(1)
    await batcher.close(0)
  })

  it('says not-sent, with the reason, of what never left in time', async () => {
    const { batcher, add, sent } = setup(() => acknowledged, { leaderOf: () => undefined })
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
    const { batcher, add, sent } = setup((_batch, request) => (request === 0 ? late.promise : acknowledged))
    expect((await add('a')).kind).toBe('unknown')
    late.resolve({ kind: 'try-again', detail: 'refused after all' })
    expect(await add('b')).toEqual(acknowledged)
    expect(sent.map(({ batches }) => batches)).toEqual([[['a']], [['b']]])
    await batcher.close(0)
  })

  it('finds the one record that is too large by halves', async () => {
    const { batcher, add } = setup(({ records }) =>
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
    await batcher.close(0)
  })

  it('settles everything when it closes: what waits was not sent, what travels is unknown', async () => {
    const never = new Promise<ProduceVerdict>(() => {})
    const { batcher, add } = setup(() => never)
    const travelling = add('a')
    await new Promise((resolve) => setImmediate(resolve))
    const waiting = add('b')
    await batcher.close(10)
    expect((await travelling).kind).toBe('unknown')
    expect((await waiting).kind).toBe('not-sent')
    expect((await add('c')).kind).toBe('not-sent')
  })
})
