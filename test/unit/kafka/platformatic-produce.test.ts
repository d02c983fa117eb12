import { produceV11, Reader, readRecordsBatches, Writer } from '@platformatic/kafka'
import { describe, expect, it, vi } from 'vitest'
import {
  type ProduceOptions,
  produceTo,
  quickVersion,
  writeProduce,
} from '../../../src/runtime-adapters/kafka/platformatic-produce.ts'

const known = (minVersion: number, maxVersion: number) => [
  { name: 'Fetch', minVersion: 4, maxVersion: 17 },
  { name: 'Produce', minVersion: minVersion, maxVersion },
]

describe('the version of Produce', () => {
  it('is the newest that is known here and to the brokers', () => {
    expect(quickVersion(known(3, 8), 'none')).toBe(undefined)
    expect(quickVersion(known(3, 9), 'none')).toBe(9)
    expect(quickVersion(known(3, 10), 'none')).toBe(10)
    expect(quickVersion(known(3, 13), 'none')).toBe(11)
    expect(quickVersion(known(12, 13), 'none')).toBe(undefined)
    expect(quickVersion([], 'none')).toBe(undefined)
  })

  it('is the client’s matter where batches are compressed', () => {
    expect(quickVersion(known(3, 13), 'gzip')).toBe(undefined)
  })
})

describe('a produce request', () => {
  it('is what the client would write, but for the batches', () => {
    const record = { key: Buffer.from('k'), value: Buffer.from('v') }
    const places = [
      { topic: 'users', partition: 0 },
      { topic: 'users', partition: 3 },
      { topic: 'items', partition: 1 },
    ]
    const ours = writeProduce(
      places.map((place) => ({ ...place, records: [record] })),
      { acks: -1, timeoutMs: 5_000 },
    ).buffer
    const theirs = produceV11.createRequest(
      -1,
      5_000,
      places.map((place) => ({ ...place, ...record })),
    )
    const batches: string[] = []
    const withoutBatches = (request: Buffer) => {
      const reader = Reader.from(request)
      const head = [reader.readNullableString(), reader.readInt16(), reader.readInt32()]
      const topics = reader.readArray(() => {
        const name = reader.readString()
        const partitions = reader.readArray(() => {
          const partition = reader.readInt32()
          const [batch] = readRecordsBatches(Reader.from(reader.readBytes()))
          batches.push(String(batch?.records[0]?.value))
          return partition
        })
        return { name, partitions }
      })
      reader.readTaggedFields()
      return { head, topics, left: reader.remaining }
    }
    expect(withoutBatches(ours)).toEqual(withoutBatches((theirs as { buffer: Buffer }).buffer))
    expect(withoutBatches(ours)).toEqual({
      head: [null, -1, 5_000],
      topics: [
        { name: 'users', partitions: [0, 3] },
        { name: 'items', partitions: [1] },
      ],
      left: 0,
    })
    expect(new Set(batches)).toEqual(new Set(['v']))
  })
})

describe('a request to the leader of partitions', () => {
  const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers: { traceparent: '00-ab-cd-01' } }
  const batches = [
    { topic: 'users', partition: 0, records: [{ ...record, topic: 'users' }] },
    { topic: 'users', partition: 3, records: [{ ...record, topic: 'users' }] },
    { topic: 'items', partition: 3, records: [{ ...record, topic: 'items' }] },
  ]

  interface Said {
    readonly index: number
    readonly code?: number
    readonly baseOffset?: bigint
  }

  /** As a broker writes it, from version 9 to 11. */
  const response = (topics: Readonly<Record<string, readonly Said[]>>) =>
    Writer.create()
      .appendArray(Object.entries(topics), (to, [topic, said]) => {
        to.appendString(topic).appendArray([...said], (one, { index, code = 0, baseOffset = -1n }) => {
          one.appendInt32(index).appendInt16(code).appendInt64(baseOffset).appendInt64(-1n).appendInt64(0n)
          one.appendArray([], () => undefined).appendString(null)
        })
      })
      .appendInt32(0)
      .appendTaggedFields()

  type Answer = (reader: (writer: Writer) => unknown) => unknown

  /** A producer with one connection, which answers so. */
  function setup(answer: Answer, { isConnected = true, refused = undefined as Error | undefined } = {}) {
    const sent: { readonly version: number; readonly request: Buffer }[] = []
    let opened = 0
    const connection = {
      isConnected: () => isConnected,
      send(...[key, version, write, parse, , , callback]: [number, number, () => Writer, Parse, true, true, Callback]) {
        sent.push({ version, request: write().buffer })
        try {
          callback(
            null,
            answer((writer) => parse(1, key, version, Reader.from(writer))),
          )
        } catch (error) {
          callback(error)
        }
      },
    }
    const connections = {
      getEstablishedConnection: () => connection,
      get: async () => {
        opened++
        if (refused !== undefined) throw refused
        return connection
      },
    }
    // All that is asked of it.
    const producer = {
      currentMetadata: { brokers: new Map([[1, {}]]) },
      connections,
    } as unknown as ProduceOptions['producer']
    const to = (leader: number, acks: 'all' | 'leader' = 'all') =>
      produceTo(leader, batches, { producer, connection: { acks, sendTimeoutMs: 5_000 }, version: 10 })
    return { to, sent, opened: () => opened }
  }

  type Parse = (correlationId: number, key: number, version: number, reader: Reader) => unknown
  type Callback = (error: unknown, response?: unknown) => void

  const allIsWell: Answer = (read) => read(response({ users: [{ index: 0 }, { index: 3 }], items: [{ index: 3 }] }))

  it('is sent once over the connection that there is, in the version that was found out', async () => {
    const { to, sent, opened } = setup(allIsWell)
    expect(await to(1)).toEqual(batches.map(() => ({ kind: 'acknowledged' })))
    expect(sent).toHaveLength(1)
    expect(sent[0]?.version).toBe(10)
    expect(sent[0]?.request.toString('latin1').match(/traceparent/g)).toHaveLength(3)
    expect(opened()).toBe(0)
  })

  it('is sent over a new connection where the old one is no longer good', async () => {
    const { to, opened } = setup(allIsWell, { isConnected: false })
    expect(await to(1)).toMatchObject([{ kind: 'acknowledged' }, {}, {}])
    expect(opened()).toBe(1)
  })

  it('may be made again where nothing was sent', async () => {
    const { to, sent } = setup(allIsWell, { isConnected: false, refused: new Error('refused') })
    expect(await to(1)).toEqual(batches.map(() => ({ kind: 'try-again', detail: 'refused' })))
    expect(await to(2)).toEqual(batches.map(() => ({ kind: 'try-again', detail: 'broker 2 is not known' })))
    expect(sent).toEqual([])
  })

  it('has a verdict of its own for each partition', async () => {
    const { to } = setup((read) =>
      read(response({ users: [{ index: 0, code: 10 }, { index: 3 }], items: [{ index: 3, code: 6 }] })),
    )
    expect(await to(1)).toMatchObject([
      { kind: 'refused', cause: 'too-large' },
      { kind: 'acknowledged' },
      { kind: 'try-again', detail: 'The broker answered NOT_LEADER_OR_FOLLOWER.' },
    ])
  })

  it('is in doubt where the leader had appended before it lost its place', async () => {
    const { to } = setup((read) => read(response({ users: [{ index: 0, code: 6, baseOffset: 7n }] })))
    expect((await to(1)).map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown'])
  })

  it('is in doubt where the broker says what nobody here knows', async () => {
    const { to } = setup((read) => read(response({ users: [{ index: 0, code: 9_999 }] })))
    expect((await to(1))[0]?.kind).toBe('unknown')
  })

  it('is in doubt where no answer came, or one that can’t be read', async () => {
    const lost = setup(() => {
      throw new Error('Connection closed')
    })
    expect(await lost.to(1)).toEqual(batches.map(() => ({ kind: 'unknown', detail: 'Connection closed' })))
    const garbled = setup((read) => read(Writer.create().appendInt8(9)))
    expect((await garbled.to(1)).map(({ kind }) => kind)).toEqual(['unknown', 'unknown', 'unknown'])
  })

  /** The client’s own way, which fails so. */
  async function byClient(error?: Error) {
    const send = vi.fn(async () => {
      if (error !== undefined) throw error
    })
    const connections = { getEstablishedConnection: () => ({ isConnected: () => true }) }
    const currentMetadata = { brokers: new Map([[1, {}]]) }
    // All that is asked of it.
    const producer = { currentMetadata, connections, send } as unknown as ProduceOptions['producer']
    const connection = { acks: 'all', sendTimeoutMs: 5_000 } as const
    return { verdicts: await produceTo(1, batches, { producer, connection, version: undefined }), send }
  }

  it('is made by the client, once and of all, where it is not written here', async () => {
    const { verdicts, send } = await byClient()
    expect(verdicts).toEqual(batches.map(() => ({ kind: 'acknowledged' })))
    const headers = new Map([[Buffer.from('traceparent'), Buffer.from('00-ab-cd-01')]])
    const messages = batches.map(({ topic, partition }) => ({
      ...{ topic, partition, headers, key: record.key, value: record.value },
    }))
    expect(send.mock.calls).toEqual([[{ messages, acks: -1 }]])
  })

  it('has a verdict of its own for each partition too where the client tells it deep in its error', async () => {
    const told = (code: number) => ({
      name: 'users',
      partitionResponses: [{ index: 0, errorCode: code, baseOffset: -1n }],
    })
    const inner = Object.assign(new Error('refused'), { response: { responses: [told(10)] } })
    const produced = { offsets: [{ topic: 'users', partition: 3 }] }
    const error = Object.assign(new AggregateError([new AggregateError([inner])], 'failed'), { produced })
    expect((await byClient(error)).verdicts).toMatchObject([
      { kind: 'refused', cause: 'too-large' },
      { kind: 'acknowledged' },
      { kind: 'unknown' },
    ])
  })

  it.each([
    ['all', -1],
    ['leader', 1],
  ] as const)('asks for the acknowledgement of %s, and says how long the leader may wait', async (acks, number) => {
    const { to, sent } = setup(allIsWell)
    await to(1, acks)
    const reader = Reader.from(sent[0]?.request ?? Buffer.alloc(0))
    expect([reader.readNullableString(), reader.readInt16(), reader.readInt32()]).toEqual([null, number, 5_000])
  })
})
