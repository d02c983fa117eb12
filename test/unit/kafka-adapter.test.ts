import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Invocation, Outcome, RecordWatch, StrayReplies } from '../../src/runtime-adapters/contract.ts'
import type { KafkaDialect } from '../../src/runtime-adapters/kafka/dialect.ts'
import { createKafkaAdapter } from '../../src/runtime-adapters/kafka/kafka-adapter.ts'
import type {
  KafkaRecord,
  KafkaTransport,
  ReceivedRecord,
  SendResult,
  TransportSubscription,
} from '../../src/runtime-adapters/kafka/transport.ts'
import { compiledEntities } from '../helpers/compiled-entities.ts'
import { everything } from '../helpers/scripted-app.ts'

const [thing] = compiledEntities({ name: 'Thing', methods: [{ name: 'go', params: [] }] })
const go = thing?.methods.get('go')

/** Requests and replies are `id:text`. */
const dialect: KafkaDialect = {
  name: 'plain',
  capabilities: everything,
  topics: { requests: ['ask'], replies: ['answer'] },
  encode: ({ id }) => ({ topic: 'ask', key: Buffer.from('k'), value: Buffer.from(`${id}:go`) }),
  correlationOf: ({ value }) => (value.includes(':') ? value.toString().split(':')[0] : undefined),
  decode: ({ value }) => {
    const text = value.toString().split(':')[1] ?? ''
    if (text === 'mention') return { kind: 'foreign' }
    return text === 'junk' ? { kind: 'malformed', detail: 'junk' } : { kind: 'returned', value: text }
  },
  ping: (id) => ({ topic: 'ask', key: Buffer.from('ping'), value: Buffer.from(`${id}:ping`) }),
  isPong: ({ value }) => value.toString().endsWith(':pong'),
}

interface Wire {
  readonly transport: KafkaTransport
  readonly sent: KafkaRecord[]
  deliver(text: string): void
  /** What becomes of the next sends; a function is called at the moment of sending. */
  acknowledge: (record: KafkaRecord) => Promise<SendResult>
  closed: number
}

function createWire(): Wire {
  let subscription: TransportSubscription | undefined
  const sent: KafkaRecord[] = []
  const wire: Wire = {
    sent,
    closed: 0,
    acknowledge: async () => ({ kind: 'acknowledged' }),
    deliver(text) {
      const record: ReceivedRecord = {
        topic: 'answer',
        partition: 0,
        offset: 0n,
        key: Buffer.alloc(0),
        value: Buffer.from(text),
      }
      subscription?.onRecord(record)
    },
    transport: {
      name: 'wire',
      start: async (given) => {
        subscription = given
      },
      send: (record) => {
        sent.push(record)
        return wire.acknowledge(record)
      },
      health: async () => ({ ok: true, detail: 'fine' }),
      close: async () => {
        wire.closed++
      },
    },
  }
  return wire
}

const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }

async function start(limits = { maxCalls: 100, maxBytes: 10_000 }) {
  const wire = createWire()
  const late: [id: string, outcome: Outcome][] = []
  const foreign: [id: string, bytes: number][] = []
  const strays: StrayReplies = {
    late: ({ id }, outcome) => void late.push([id, outcome]),
    foreign: (id, _read, bytes) => void foreign.push([id, bytes]),
  }
  const adapter = createKafkaAdapter({ dialect, transport: wire.transport, limits, log, strays })
  await adapter.start()
  return { wire, adapter, late, foreign }
}

let ids = 0
function invocation(deadlineMs = 1_000): Invocation {
  if (thing === undefined || go === undefined) throw new Error('the test’s own metadata is broken')
  return {
    id: `id-${++ids}`,
    target: { kind: 'call', entity: thing, key: 'k', method: go },
    args: {},
    deadline: Date.now() + deadlineMs,
    context: {},
  }
}

describe('a Kafka adapter', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
    log.warn.mockClear()
  })

  it('delivers a reply that comes before the acknowledgement', async () => {
    const { wire, adapter } = await start()
    wire.acknowledge = (record) => {
      wire.deliver(`${record.value.toString().split(':')[0]}:early`)
      return new Promise(() => undefined)
    }
    expect(await adapter.invoke(invocation())).toEqual({ kind: 'returned', value: 'early' })
  })

  it('says unknown at the deadline, and counts the late reply', async () => {
    const { wire, adapter } = await start()
    const call = invocation(500)
    const outcome = adapter.invoke(call)
    await vi.advanceTimersByTimeAsync(500)
    expect(await outcome).toMatchObject({ kind: 'unknown', cause: 'deadline' })
    wire.deliver(`${call.id}:late`)
    expect(adapter.counters()).toMatchObject({ late: 1, answered: 0, pending: 0 })
  })

  it('hands on a late reply once, and takes a record that only mentions the call for none', async () => {
    const { wire, adapter, late, foreign } = await start()
    const call = invocation(100)
    const outcome = adapter.invoke(call)
    wire.deliver(`${call.id}:mention`)
    await vi.advanceTimersByTimeAsync(100)
    expect(await outcome).toMatchObject({ kind: 'unknown', cause: 'deadline' })
    for (const text of ['mention', 'late', 'again']) wire.deliver(`${call.id}:${text}`)
    expect(late).toEqual([[call.id, { kind: 'returned', value: 'late' }]])
    expect(foreign).toEqual([])
    expect(adapter.counters()).toMatchObject({ answered: 0, late: 1, foreign: 2, duplicate: 1 })
  })

  it('hands on the replies to others with their length, and none of its own', async () => {
    const { wire, adapter, late, foreign } = await start()
    const call = invocation()
    const outcome = adapter.invoke(call)
    for (const text of ['mine', 'again']) wire.deliver(`${call.id}:${text}`)
    await outcome
    wire.deliver('somebody-else:x')
    wire.deliver('no correlation at all')
    expect([late, foreign]).toEqual([[], [['somebody-else', 15]]])
  })

  it('tells that a call was accepted when its record was, while its caller waits', async () => {
    const { wire, adapter } = await start()
    const accepted: string[] = []
    const noted = (name: string, deadlineMs: number): Invocation => ({
      ...invocation(deadlineMs),
      onAccepted: () => void accepted.push(name),
    })
    const decided = Promise.withResolvers<SendResult>()
    void adapter.invoke(noted('at once', 1_000))
    wire.acknowledge = () => decided.promise
    void adapter.invoke(noted('too late', 100))
    void adapter.invoke(noted('in time', 1_000))
    wire.acknowledge = async () => ({ kind: 'unknown', detail: 'cut off' })
    void adapter.invoke(noted('in doubt', 1_000))
    await vi.advanceTimersByTimeAsync(100)
    expect(accepted).toEqual(['at once'])
    decided.resolve({ kind: 'acknowledged' })
    await vi.advanceTimersByTimeAsync(1)
    expect(accepted).toEqual(['at once', 'in time'])
    expect(adapter.counters()).toMatchObject({ sendUnknown: 1 })
  })

  it('tells those who look on what was sent and read, and what came of it', async () => {
    const told: unknown[] = []
    const watch: RecordWatch = {
      sending: (_invocation, topic) => {
        told.push(['sending', topic])
        return { context: { traceparent: 'its own' }, end: ({ kind }) => void told.push(['ended', kind]) }
      },
      sent: (topic, { kind }) => void told.push(['sent', topic, kind]),
      read: (topic) => void told.push(['read', topic]),
      decoding: (_place, { context }) => {
        told.push(['decoding', context.traceparent])
        return (outcome) => void told.push(outcome)
      },
    }
    const wire = createWire()
    const limits = { maxCalls: 1, maxBytes: 1_000 }
    const adapter = createKafkaAdapter({ dialect, transport: wire.transport, limits, log, watch })
    await adapter.start()
    const takeTold = () => told.splice(0)
    const call = invocation()
    const outcome = adapter.invoke(call)
    await vi.advanceTimersByTimeAsync(1)
    expect(takeTold()).toEqual([
      ['sending', 'ask'],
      ['sent', 'ask', 'acknowledged'],
      ['ended', 'acknowledged'],
    ])
    expect(wire.sent[0]?.headers).toEqual({ traceparent: 'its own' })
    await adapter.invoke(invocation())
    expect(takeTold()).toEqual([
      ['sending', 'ask'],
      ['ended', 'not-sent'],
    ])
    expect(adapter.counters()).toMatchObject({ overloaded: 1 })
    wire.deliver(`${call.id}:mention`)
    const beginning = [
      ['read', 'answer'],
      ['decoding', 'its own'],
    ]
    expect(takeTold()).toEqual([...beginning, { kind: 'malformed', detail: 'The record only mentions the call.' }])
    wire.deliver(`${call.id}:there`)
    expect(takeTold()).toEqual([...beginning, await outcome])
  })

  it.each(['key', 'value'])('sends no record without a %s: it could stop the runtime', async (empty) => {
    const wire = createWire()
    const encode: KafkaDialect['encode'] = (call) =>
      ({ ...dialect.encode(call), [empty]: Buffer.alloc(0) }) as KafkaRecord
    const limits = { maxCalls: 1, maxBytes: 1_000 }
    const adapter = createKafkaAdapter({ dialect: { ...dialect, encode }, transport: wire.transport, limits, log })
    await adapter.start()
    await expect(adapter.invoke(invocation())).rejects.toThrow('without a key or a value')
    expect(wire.sent).toEqual([])
  })

  it('says not-sent at once when the record surely did not leave', async () => {
    const { wire, adapter } = await start()
    wire.acknowledge = async () => ({ kind: 'not-sent', cause: 'broker-unavailable', detail: 'no broker' })
    expect(await adapter.invoke(invocation())).toEqual({
      kind: 'not-sent',
      cause: 'broker-unavailable',
      detail: 'no broker',
    })
  })

  it('waits on when a send is in doubt: the record may be in the log', async () => {
    const { wire, adapter } = await start()
    wire.acknowledge = async () => ({ kind: 'unknown', detail: 'cut off' })
    const answered = invocation()
    const outcome = adapter.invoke(answered)
    await vi.advanceTimersByTimeAsync(10)
    wire.deliver(`${answered.id}:there`)
    expect(await outcome).toEqual({ kind: 'returned', value: 'there' })
    const silent = adapter.invoke(invocation(100))
    await vi.advanceTimersByTimeAsync(100)
    expect(await silent).toEqual({ kind: 'unknown', cause: 'connection-lost', detail: 'cut off' })
  })

  it('says at the deadline that the call was sent only where that is known', async () => {
    const { wire, adapter } = await start()
    const sent = adapter.invoke(invocation(100))
    wire.acknowledge = () => new Promise(() => undefined)
    const undecided = adapter.invoke(invocation(100))
    await vi.advanceTimersByTimeAsync(100)
    expect(await sent).toMatchObject({ cause: 'deadline', detail: expect.stringMatching(/^The call was sent/) })
    expect(await undecided).toMatchObject({
      cause: 'deadline',
      detail: expect.stringMatching(/whether the call could/),
    })
  })

  it('hands on that a call was not sent where that turns out after its deadline, once', async () => {
    const { wire, adapter, late } = await start()
    const decided = Promise.withResolvers<SendResult>()
    wire.acknowledge = () => decided.promise
    const call = invocation(100)
    const outcome = adapter.invoke(call)
    await vi.advanceTimersByTimeAsync(100)
    expect(await outcome).toMatchObject({ kind: 'unknown' })
    decided.resolve({ kind: 'not-sent', cause: 'broker-unavailable', detail: 'no broker' })
    await vi.advanceTimersByTimeAsync(1)
    wire.deliver(`${call.id}:again`)
    expect(late).toEqual([[call.id, { kind: 'not-sent', cause: 'broker-unavailable', detail: 'no broker' }]])
    expect(adapter.counters()).toMatchObject({ notSent: 1, late: 0, duplicate: 1, pending: 0 })
  })

  it('adds the caller’s trace to the headers that the dialect has written', async () => {
    const wire = createWire()
    const headers = { kind: 'go', traceparent: 'of the dialect' }
    const encode: KafkaDialect['encode'] = ({ id }) => ({
      ...{ topic: 'ask', key: Buffer.from('k'), value: Buffer.from(id), headers },
    })
    const limits = { maxCalls: 1, maxBytes: 1_000 }
    const adapter = createKafkaAdapter({ dialect: { ...dialect, encode }, transport: wire.transport, limits, log })
    await adapter.start()
    const context = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'a=1' }
    void adapter.invoke({ ...invocation(), context })
    expect(wire.sent.map((record) => record.headers)).toEqual([{ kind: 'go', ...context }])
    await adapter.close()
  })

  it('drops foreign and duplicate replies, and counts each', async () => {
    const { wire, adapter } = await start()
    const call = invocation()
    const outcome = adapter.invoke(call)
    wire.deliver('somebody-else:x')
    wire.deliver('no correlation at all')
    wire.deliver(`${call.id}:mine`)
    wire.deliver(`${call.id}:again`)
    expect(await outcome).toEqual({ kind: 'returned', value: 'mine' })
    expect(adapter.counters()).toMatchObject({ answered: 1, foreign: 2, duplicate: 1, pending: 0 })
  })

  it('settles an unreadable reply as malformed, and logs the 1st, 2nd, 4th and 8th', async () => {
    const { wire, adapter } = await start()
    for (let count = 0; count < 10; count++) {
      const call = invocation()
      const outcome = adapter.invoke(call)
      wire.deliver(`${call.id}:junk`)
      expect(await outcome).toMatchObject({ kind: 'malformed' })
    }
    expect(adapter.counters()).toMatchObject({ unreadable: 10 })
    expect(log.warn).toHaveBeenCalledTimes(4)
  })

  it('bounds waiting calls in number and in bytes', async () => {
    const { wire, adapter } = await start({ maxCalls: 2, maxBytes: 10_000 })
    void adapter.invoke(invocation())
    void adapter.invoke(invocation())
    expect(await adapter.invoke(invocation())).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    expect(wire.sent).toHaveLength(2)
    const small = await start({ maxCalls: 100, maxBytes: 12 })
    void small.adapter.invoke(invocation())
    expect(await small.adapter.invoke(invocation())).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
  })

  it('sends nothing for a call whose deadline has passed', async () => {
    const { wire, adapter } = await start()
    expect(await adapter.invoke(invocation(-1))).toMatchObject({ kind: 'not-sent' })
    expect(wire.sent).toEqual([])
  })

  it('takes no calls before it is started or after it is closed, and leaves none without an outcome', async () => {
    const wire = createWire()
    const adapter = createKafkaAdapter({
      dialect,
      transport: wire.transport,
      limits: { maxCalls: 1, maxBytes: 1_000 },
      log,
    })
    expect(await adapter.invoke(invocation())).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
    await adapter.start()
    const waiting = adapter.invoke(invocation())
    await adapter.close()
    await adapter.close()
    expect(await waiting).toMatchObject({ kind: 'unknown', cause: 'shutting-down' })
    expect(await adapter.invoke(invocation())).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('forgets finished calls: memory does not grow with their number', async () => {
    const { wire, adapter } = await start()
    const first = invocation()
    const outcome = adapter.invoke(first)
    wire.deliver(`${first.id}:ok`)
    await outcome
    for (let count = 0; count < 20_001; count++) {
      const call = invocation()
      void adapter.invoke(call)
      wire.deliver(`${call.id}:ok`)
    }
    wire.deliver(`${first.id}:again`)
    expect(adapter.counters()).toMatchObject({ foreign: 1, duplicate: 0 })
  })

  it('asks the runtime whether it answers, and not more often than every two seconds', async () => {
    const { wire, adapter } = await start()
    wire.acknowledge = async (record) => {
      wire.deliver(`${record.value.toString().split(':')[0]}:pong`)
      return { kind: 'acknowledged' }
    }
    const checks = await Promise.all([adapter.health(), adapter.health()])
    expect(checks[0]).toEqual([
      { name: 'kafka', ok: true, detail: 'fine' },
      { name: 'plain runtime', ok: true, detail: 'It answers.' },
    ])
    expect(wire.sent).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2_001)
    await adapter.health()
    expect(wire.sent).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says within a second that the runtime is silent or can’t be asked', async () => {
    const { wire, adapter } = await start()
    const silent = adapter.health()
    await vi.advanceTimersByTimeAsync(900)
    expect((await silent)[1]).toMatchObject({ ok: false, detail: 'It did not answer a ping within 900 ms.' })
    // Nobody waits for its answer any more.
    wire.deliver(`${wire.sent[0]?.value.toString().split(':')[0]}:pong`)
    expect(adapter.counters()).toMatchObject({ foreign: 1 })
    await vi.advanceTimersByTimeAsync(2_001)
    wire.acknowledge = async () => ({ kind: 'not-sent', cause: 'broker-unavailable', detail: 'no broker' })
    expect((await adapter.health())[1]).toMatchObject({ ok: false, detail: 'no broker' })
  })
})
