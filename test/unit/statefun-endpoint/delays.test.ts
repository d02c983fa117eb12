import { describe, expect, it } from 'vitest'
import type { CommitResult } from '../../../src/runtime-adapters/sqlite/transaction.ts'
import type { DelayedMessage } from '../../../src/runtime-adapters/statefun/protobuf.ts'
import { createDelays } from '../../../src/runtime-adapters/statefun-endpoint/delays.ts'
import {
  createMemoryEngineStore,
  type EngineStore,
} from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import type { Delay } from '../../../src/runtime-adapters/statefun-endpoint/message.ts'
import { until } from '../../helpers/until.ts'
import { startLab } from './engine-lab.ts'
import { type Behaviour, done, egress, texts, to } from './scripted-endpoint.ts'

function inFuture(delayInMs: number, id: string, value: string, cancellationToken = ''): DelayedMessage {
  return { ...to(id, value), delayInMs, cancellationToken, isCancellationRequest: false }
}

function cancel(cancellationToken: string): DelayedMessage {
  return { target: null, argument: null, delayInMs: 0, cancellationToken, isCancellationRequest: true }
}

/** `arm MS TOKEN` sends oneself `fired`, `cancel TOKEN` takes it back, and everything else is echoed. */
const timer: Behaviour = (batch) => {
  const { id } = batch.target
  const words = texts(batch).map((text) => text.split(' '))
  return done({
    delayedInvocations: words.flatMap(([word, what = '', token]) => {
      if (word === 'arm') return [inFuture(Number(what), id, 'fired', token)]
      return word === 'cancel' ? [cancel(what)] : []
    }),
    outgoingEgresses: words.map(([word = '']) => egress(id, word)),
  })
}

describe('a delayed message', () => {
  it('comes when it is due, from its sender', async () => {
    const { send, answered, endpoint } = await startLab(timer)
    const before = Date.now()
    await send('a', 'arm 30')
    expect(await answered(2)).toEqual(['a:arm', 'a:fired'])
    expect(Date.now() - before).toBeGreaterThanOrEqual(30)
    expect(endpoint.batches[1]?.invocations[0]?.caller).toMatchObject({ namespace: 'test', type: 'f', id: 'a' })
  })

  it('does not come when it was cancelled', async () => {
    const { send, answered, engine } = await startLab(timer)
    await send('a', 'arm 300 one')
    await send('a', 'arm 310 two')
    await answered(2)
    expect(engine.counters().delayed).toBe(2)
    await send('a', 'cancel one')
    expect(await answered(4)).toEqual(['a:arm', 'a:arm', 'a:cancel', 'a:fired'])
    expect(engine.counters().delayed).toBe(0)
  })

  it('is not touched by tokens that nobody knows, nor by those of another id', async () => {
    const { send, answered } = await startLab(timer)
    await send('a', 'arm 40 mine')
    await answered(1)
    await send('b', 'cancel mine')
    await send('a', 'cancel unknown')
    expect((await answered(4)).toSorted()).toEqual(['a:arm', 'a:cancel', 'a:fired', 'b:cancel'])
  })

  it('that is cancelled in the same answer never comes', async () => {
    const { send, answered, engine } = await startLab((batch) =>
      done({
        delayedInvocations: [inFuture(1, 'a', 'never', 'token'), cancel('token'), inFuture(1, 'a', 'third')],
        outgoingEgresses: texts(batch).map((text) => egress('a', text)),
      }),
    )
    await send('a', 'go')
    expect((await answered(2)).slice(0, 2)).toEqual(['a:go', 'a:third'])
    expect(engine.counters().failedMessages).toBe(0)
  })

  it('with a token that is in use is refused, as in StateFun', async () => {
    const { send, answered, failed } = await startLab(timer)
    await send('a', 'arm 5000 token')
    await answered(1)
    await send('a', 'arm 5000 token', 'second')
    expect(await failed('second')).toMatchObject({ kind: 'malformed', detail: expect.stringContaining('"token"') })
  })

  it('may use a token again after it has come', async () => {
    const { send, answered } = await startLab(timer)
    await send('a', 'arm 1 token')
    await answered(2)
    await send('a', 'arm 1 token')
    expect(await answered(4)).toEqual(['a:arm', 'a:fired', 'a:arm', 'a:fired'])
  })

  it('counts among the bytes that may wait, until it has come', async () => {
    const large = 'x'.repeat(2_000)
    const { send, answered } = await startLab(
      (batch) =>
        texts(batch).includes('arm')
          ? done({ delayedInvocations: [inFuture(100, 'a', large)], outgoingEgresses: [egress('a', 'armed')] })
          : done({ outgoingEgresses: [egress('a', 'come')] }),
      { maxQueuedBytes: 1_000 },
    )
    await send('a', 'arm')
    await answered(1)
    expect(await send('b', 'y')).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    await answered(2)
    await until('room', async () => (await send('b', 'y')).kind === 'acknowledged')
  })

  it('counts as queued from when it is due, before the store has taken it', async () => {
    const memory = createMemoryEngineStore()
    const taken = Promise.withResolvers<CommitResult>()
    const store: EngineStore = {
      ...memory,
      write: (change) => ((change.removeDelays ?? []).length === 0 ? memory.write(change) : taken.promise),
    }
    const { send, answered, engine } = await startLab(timer, { store })
    await send('a', 'arm 1')
    await answered(1)
    await until('the delay is due', () => engine.counters().delayed === 0)
    expect(engine.counters()).toMatchObject({ delayed: 0, queued: 1 })
    taken.resolve({ kind: 'committed' })
    await answered(2)
    await until('nothing waits', () => engine.counters().queued === 0)
  })

  it('does not count any more when it was cancelled', async () => {
    const large = inFuture(60_000, 'a', 'x'.repeat(2_000), 'token')
    const { send, answered } = await startLab(
      (batch) =>
        done({
          delayedInvocations: [large, inFuture(60_000, 'a', 'x', 'other'), cancel('token')],
          outgoingEgresses: texts(batch).map((text) => egress('a', text)),
        }),
      { maxQueuedBytes: 1_000 },
    )
    await send('a', 'go')
    await answered(1)
    expect(await send('b', 'y')).toEqual({ kind: 'acknowledged' })
  })
})

describe('a delay longer than a timer can be', () => {
  it('does not ring early', async () => {
    const fired: Delay[] = []
    const delays = createDelays((delay) => fired.push(delay))
    const target = { namespace: 'test', type: 'f', id: 'a' }
    const argument = { typename: 't', hasValue: false, value: Buffer.alloc(0) }
    const message = { seq: 1, target, caller: target, argument, origin: undefined, isFirst: false }
    delays.add({ seq: 1, dueMs: Date.now() + 2 ** 32, token: 'x', message })
    delays.add({ seq: 2, dueMs: Date.now(), token: '', message: { ...message, seq: 2 } })
    await until('the second', () => fired.length === 1)
    expect([fired[0]?.seq, delays.find('a', 'x'), delays.size, delays.bytes]).toEqual([2, 1, 1, 1])
    delays.close()
    expect([delays.size, delays.bytes]).toEqual([0, 0])
  })
})
