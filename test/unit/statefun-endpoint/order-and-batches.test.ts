import { describe, expect, it } from 'vitest'
import { until } from '../../helpers/until.ts'
import { startLab } from './engine-lab.ts'
import { type Behaviour, done, egress, missing, spec, stateIn, texts, to, writes } from './scripted-endpoint.ts'

/** Answers each message with a record of its own. */
const echo: Behaviour = (batch) => done({ outgoingEgresses: texts(batch).map((each) => egress(batch.target.id, each)) })

/** Answers when the test lets it. */
function gated(behaviour: Behaviour) {
  const gate = Promise.withResolvers<void>()
  const behave: Behaviour = async (batch) => {
    await gate.promise
    return behaviour(batch)
  }
  return { behave, open: gate.resolve }
}

describe('messages to functions', () => {
  it('arrive from outside without a caller, with their type and bytes as they are', async () => {
    const { send, answered, endpoint } = await startLab(echo)
    expect(await send('ä/ü 🛒', '{"a": 1}')).toEqual({ kind: 'acknowledged' })
    expect(await answered(1)).toEqual(['ä/ü 🛒:{"a": 1}'])
    expect(endpoint.batches[0]).toMatchObject({
      target: { namespace: 'test', type: 'f', id: 'ä/ü 🛒' },
      state: [],
      invocations: [{ caller: null, argument: { typename: 'test/text', hasValue: true } }],
    })
  })

  it('are sent the way StateFun sends them', async () => {
    const { send, answered, endpoint } = await startLab(echo)
    await send('a', 'x')
    await answered(1)
    expect(endpoint.headers[0]).toMatchObject({
      'content-type': 'application/octet-stream',
      accept: 'application/octet-stream',
      'accept-encoding': 'gzip, deflate',
      'user-agent': 'statefun',
      connection: 'keep-alive',
    })
  })

  it('go one batch at a time to one address: what comes meanwhile is the next batch', async () => {
    const { behave, open } = gated(echo)
    const { send, answered, endpoint } = await startLab(behave)
    await send('a', '0')
    await until('the first batch', () => endpoint.batches.length === 1)
    for (const each of ['1', '2', '3']) await send('a', each)
    expect(endpoint.batches.map(texts)).toEqual([['0']])
    open()
    await answered(4)
    expect(endpoint.batches.map(texts)).toEqual([['0'], ['1', '2', '3']])
  })

  it('keep their order in batches of the size that is allowed', async () => {
    const { behave, open } = gated(echo)
    const { send, answered, endpoint, egresses } = await startLab(behave, { maxBatch: 4 })
    const all = Array.from({ length: 10 }, (_, index) => String(index))
    for (const each of all) await send('a', each)
    open()
    await answered(10)
    expect(endpoint.batches.map((batch) => texts(batch).length)).toEqual([1, 4, 4, 1])
    expect(egresses).toEqual(all.map((each) => `a:${each}`))
  })

  it('to different addresses go side by side, as many as are allowed', async () => {
    const { behave, open } = gated(echo)
    const { send, answered, endpoint } = await startLab(behave, { maxConcurrent: 3 })
    for (let id = 0; id < 8; id++) await send(`id-${id}`, 'x')
    await until('three requests', () => endpoint.load.now === 3)
    open()
    await answered(8)
    expect(endpoint.load.most).toBe(3)
  })

  it('from a function carry their sender', async () => {
    const { send, answered, endpoint } = await startLab((batch) =>
      batch.target.id === 'a' ? done({ outgoingMessages: [to('b', 'hello', 'g')] }) : echo(batch),
    )
    await send('a', 'go')
    expect(await answered(1)).toEqual(['b:hello'])
    expect(endpoint.batches[1]).toMatchObject({
      target: { namespace: 'test', type: 'g', id: 'b' },
      invocations: [{ caller: { namespace: 'test', type: 'f', id: 'a' } }],
    })
  })

  it('are refused beyond the queue’s limit, and taken again when it has room', async () => {
    const { behave, open } = gated(echo)
    const { send, answered } = await startLab(behave, { maxQueued: 2 })
    await send('a', '1')
    await send('a', '2')
    expect(await send('b', '3')).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    open()
    await answered(2)
    await until('room', async () => (await send('b', '4')).kind === 'acknowledged')
  })

  it('are refused beyond the queue’s bytes', async () => {
    const { behave, open } = gated(echo)
    const { send } = await startLab(behave, { maxQueuedBytes: 1_000 })
    await send('a', 'x'.repeat(2_000))
    expect(await send('b', 'y')).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    open()
  })

  it('that are for no Kafka topic are dropped and counted', async () => {
    const kinesis = { egressNamespace: 'test', egressType: 'kinesis', argument: null }
    const { engine, send, answered } = await startLab((batch) =>
      done({ outgoingEgresses: [kinesis, egress(batch.target.id, 'x')] }),
    )
    await send('a', 'go')
    await answered(1)
    expect(engine.counters().droppedEgresses).toBe(1)
  })
})

describe('a function’s states', () => {
  it('are asked for, given as empty, and given as they were written', async () => {
    const { send, answered, endpoint } = await startLab((batch) => {
      const before = stateIn(batch, 'count')
      if (before === null) return missing(spec('count'))
      const now = String(Number(before ?? 0) + batch.invocations.length)
      return done({ stateMutations: [writes('count', now)], outgoingEgresses: [egress('count', now)] })
    })
    await send('a', '1')
    await answered(1)
    await send('a', '2')
    await answered(2)
    await send('b', '1')
    expect(await answered(3)).toEqual(['count:1', 'count:2', 'count:1'])
    expect(endpoint.batches.map((batch) => stateIn(batch, 'count'))).toEqual([null, undefined, '1', undefined])
  })

  it('are asked for once, though many first messages come at the same time', async () => {
    let asked = 0
    const { send, answered } = await startLab((batch) => {
      if (stateIn(batch, 'one') === null) {
        asked++
        return missing(spec('one'))
      }
      return echo(batch)
    })
    for (let id = 0; id < 10; id++) await send(`id-${id}`, 'x')
    await answered(10)
    await send('later', 'x')
    await answered(11)
    expect(asked).toBeLessThanOrEqual(10)
  })

  it('may be asked for one after the other', async () => {
    const names = ['a', 'b', 'c']
    const { send, answered } = await startLab((batch) => {
      const next = names.find((name) => stateIn(batch, name) === null)
      return next === undefined ? echo(batch) : missing(spec(next))
    })
    await send('a', 'x')
    expect(await answered(1)).toEqual(['a:x'])
  })

  it('keep the bytes that differ from text, and values that are empty', async () => {
    const bytes = Buffer.from([0, 255, 128, 10])
    const { send, answered } = await startLab((batch) => {
      const found = batch.state.find(({ stateName }) => stateName === 'raw')
      if (found === undefined) return missing(spec('raw'))
      const { stateValue: value } = found
      if (value !== null) return done({ outgoingEgresses: [egress('raw', Buffer.from(value.value).toString('hex'))] })
      const stateValue = { typename: 'test/raw', hasValue: true, value: bytes }
      return done({ stateMutations: [{ mutationType: 1, stateName: 'raw', stateValue }] })
    })
    await send('a', '1')
    await send('a', '2')
    expect(await answered(1)).toEqual(['raw:00ff800a'])
  })
})
