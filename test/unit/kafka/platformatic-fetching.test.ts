import {
  type Connection,
  type ConnectionPool,
  createRecordsBatch,
  fetchV12,
  fetchV13,
  fetchV17,
  Reader,
  ResponseError,
  Writer,
} from '@platformatic/kafka'
import { describe, expect, it } from 'vitest'
import { quickFetching, readFetch } from '../../../src/runtime-adapters/kafka/platformatic-fetching.ts'

const topicId = '01234567-89ab-cdef-0123-456789abcdef'
const batch = createRecordsBatch([{ topic: 'any', key: Buffer.from('k'), value: Buffer.from('v') }]).buffer

interface Partition {
  readonly errorCode?: number
  readonly records?: Buffer | null
  readonly aborted?: readonly bigint[] | null
}

/** As a broker writes it, from version 13 to 17. */
function response(partitions: readonly Partition[], { errorCode = 0 } = {}): Writer {
  const tagged = (writer: Writer) =>
    writer.appendUnsignedVarInt(1).appendUnsignedVarInt(9).appendUnsignedVarInt(2).appendInt16(5)
  const writer = Writer.create().appendInt32(0).appendInt16(errorCode).appendInt32(77)
  writer.appendArray(
    [partitions],
    (topics, all) => {
      topics.appendUUID(topicId).appendArray(
        [...all.entries()],
        (to, [index, { errorCode: code = 0, records = batch, aborted = [] }]) => {
          to.appendInt32(index).appendInt16(code).appendInt64(30n).appendInt64(20n).appendInt64(10n)
          if (aborted === null) to.appendUnsignedVarInt(0)
          else to.appendArray([...aborted], (one, firstOffset) => one.appendInt64(3n).appendInt64(firstOffset))
          to.appendInt32(-1)
          if (records === null) to.appendUnsignedVarInt(0)
          else to.appendUnsignedVarInt(records.length + 1).append(records)
          tagged(to)
        },
        true,
        false,
      )
      topics.appendTaggedFields()
    },
    true,
    false,
  )
  return writer.appendTaggedFields()
}

/** As the client makes them. */
interface Thrown extends ResponseError {
  readonly errors: (Error & { readonly apiId: string; readonly path: string })[]
  readonly response: object
}

const read = (writer: Writer) => readFetch(1, 1, 17, Reader.from(writer))

/** Transactions that were aborted stand where the client has them. */
function byTheirNames({ responses, ...rest }: ReturnType<typeof read>): object {
  const named = responses.map(({ partitions, ...topic }) => ({
    ...topic,
    partitions: partitions.map(({ aborted, ...all }) => ({ ...all, abortedTransactions: aborted })),
  }))
  return { ...rest, responses: named }
}

describe('a response to a fetch', () => {
  it('is read as the client reads it, but for what nobody asks of a batch', () => {
    const written = response([
      {},
      { records: Buffer.concat([batch, batch]), aborted: [4n, 5n] },
      { records: null, aborted: null },
    ])
    const theirs = fetchV17.parseResponse(1, 1, 17, Reader.from(written))
    expect(theirs.responses[0]?.partitions).toHaveLength(3)
    const ours = read(written)
    expect(theirs).toMatchObject(byTheirNames(ours))
    expect(ours.responses[0]?.partitions[1]).toMatchObject({ records: { length: 2 }, aborted: { length: 2 } })
    expect(ours).toMatchObject({ sessionId: 77, errorCode: 0, responses: [{ topicId }] })
  })

  it('hides from the client which transactions were aborted: it fails where compaction has emptied a marker', () => {
    const written = response([{ aborted: [4n] }])
    expect(read(written).responses[0]?.partitions).toMatchObject([
      { abortedTransactions: [], aborted: [{ producerId: 3n, firstOffset: 4n }] },
    ])
  })

  it('is read whole out of the pieces in which it came', () => {
    const whole = response([{}, {}]).buffer
    const inPieces = Writer.create()
    for (let at = 0; at < whole.length; at += 7) inPieces.append(whole.subarray(at, at + 7))
    expect(read(inPieces)).toEqual(read(response([{}, {}])))
  })

  it.each([
    ['of itself', response([{}], { errorCode: 71 })],
    ['of one of its partitions', response([{}, { errorCode: 6, records: null }])],
  ])('with an error %s is thrown as the client throws it, with all that it holds', (_, written) => {
    const thrown = (parse: () => unknown): Thrown | undefined => {
      try {
        parse()
      } catch (error) {
        return error as Thrown
      }
      return undefined
    }
    const ours = thrown(() => read(written))
    const theirs = thrown(() => fetchV17.parseResponse(1, 1, 17, Reader.from(written)))
    expect(ours).toBeInstanceOf(ResponseError)
    const told = (from: Thrown | undefined) => from?.errors.map(({ apiId, path }) => [apiId, path])
    expect(told(ours)).toEqual(told(theirs))
    expect(told(ours)).toHaveLength(1)
    expect(theirs?.response).toMatchObject(byTheirNames(ours?.response as ReturnType<typeof read>))
    expect(ours?.response).toHaveProperty('responses.0.partitions.0.records.0.firstOffset', 0n)
  })
})

describe('an error that the client does not know', () => {
  it.each([
    ['of a response', response([{}], { errorCode: 9_999 })],
    ['of one of its partitions', response([{}, { errorCode: 9_999, records: null }])],
  ])('%s is one of the broker’s all the same, not something that can’t be read', (_, written) => {
    expect(() => read(written)).toThrow(ResponseError)
  })
})

describe('connections for fetches', () => {
  const sent: unknown[][] = []
  const connection = { send: (...args: unknown[]) => void sent.push(args) } as unknown as Connection
  const pool = { get: (_: unknown, callback: (error: null, got: Connection) => void) => callback(null, connection) }
  const quick = quickFetching(pool as unknown as ConnectionPool)
  const write = () => Writer.create()
  const theirs = () => undefined
  const answered = () => undefined
  const sentBy = ({ key, version }: { key: number; version: number }) => {
    quick.get({ host: 'any', port: 1 }, (_, got) => got?.send(key, version, write, theirs, true, true, answered))
    return sent.pop()
  }

  it.each([
    ['read what brokers from Kafka 3.1 on answer', fetchV13.api, readFetch],
    ['read what the newest brokers that are known answer', fetchV17.api, readFetch],
    ['leave older brokers to the client', fetchV12.api, theirs],
    ['leave versions that nobody here knows to the client', { key: 1, version: 18 }, theirs],
    ['leave other requests to the client', { key: 2, version: 13 }, theirs],
  ])('%s, and send what they are asked to', (_, { key, version }, parse) => {
    expect(sentBy({ key, version })).toEqual([key, version, write, parse, true, true, answered])
  })

  it('tell why there is none', () => {
    const refused = new Error('refused')
    const broken = quickFetching({
      get: (_: unknown, callback: (error: Error) => void) => callback(refused),
    } as unknown as ConnectionPool)
    broken.get({ host: 'any', port: 1 }, (error, got) => expect([error, got]).toEqual([refused, undefined]))
    expect.assertions(1)
  })
})
