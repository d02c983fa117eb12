import {
  type Broker,
  type Callback,
  type Connection,
  type ConnectionPool,
  type fetchV17,
  type NullableString,
  protocolErrorsCodesById,
  type Reader,
  ResponseError,
} from '@platformatic/kafka'
import type { FetchedBatch } from './fetch-port.ts'
import { readBatches } from './platformatic-batches.ts'

/** Kafka's number for Fetch. */
const FETCH = 1
/** Versions whose response is the same: topics are told by their ids (KIP-516, Kafka 3.1). */
const VERSIONS = { first: 13, last: 17 }
const UNKNOWN_SERVER_ERROR = -1

/**
 * A consumer's connections, on which the records of a fetch are read by `readBatches`: the client's own reader takes three times as long. It
 * reads what brokers before Kafka 3.1 answer.
 */
export function quickFetching(pool: ConnectionPool): ConnectionPool {
  const asked = {
    get(broker: Broker, callback: Callback<FetchConnection>) {
      pool.get(broker, (error, connection) => callback(error, connection && { send: sendBy(connection) }))
    },
  }
  // All that a fetch asks of it.
  return asked as unknown as ConnectionPool
}

type FetchConnection = Pick<Connection, 'send'>

function sendBy(connection: Connection): Connection['send'] {
  return (...[apiKey, apiVersion, createPayload, parse, ...rest]) => {
    const isKnown = apiKey === FETCH && apiVersion >= VERSIONS.first && apiVersion <= VERSIONS.last
    // What the client waits for, but for what nobody asks of a batch.
    const quick = readFetch as unknown as typeof parse
    connection.send(apiKey, apiVersion, createPayload, isKnown ? quick : parse, ...rest)
  }
}

type FetchedPartition = Omit<fetchV17.FetchResponsePartition, 'records'> & {
  records: FetchedBatch[] | null
  /** `abortedTransactions` by another name: the client would look for them too, and fail where compaction has emptied a marker. */
  aborted: fetchV17.FetchResponsePartition['abortedTransactions']
}

/**
 * As the client's own parser does.
 * @throws ResponseError with the response, where the broker has told an error of it or of a partition; RangeError where it can't be read
 */
export function readFetch(_correlationId: number, apiKey: number, apiVersion: number, reader: Reader) {
  const errors: Record<string, [number, NullableString]> = {}
  const throttleTimeMs = reader.readInt32()
  const errorCode = reader.readInt16()
  if (errorCode !== 0) errors[''] = [knownError(errorCode), null]
  const response = {
    ...{ throttleTimeMs, errorCode, sessionId: reader.readInt32(), nodeEndpoints: [] },
    responses: reader.readArray((_, topic) => ({
      topicId: reader.readUUID(),
      partitions: reader.readArray((_, partition) => {
        const read = readPartition(reader)
        if (read.errorCode !== 0)
          errors[`/responses/${topic}/partitions/${partition}`] = [knownError(read.errorCode), null]
        return read
      }),
    })),
  }
  if (Object.keys(errors).length > 0) throw new ResponseError(apiKey, apiVersion, errors, response)
  return response
}

/** The client can make no error of a code that it does not know; the response keeps it. */
function knownError(code: number): number {
  return protocolErrorsCodesById[code] === undefined ? UNKNOWN_SERVER_ERROR : code
}

function readPartition(reader: Reader): FetchedPartition {
  return {
    partitionIndex: reader.readInt32(),
    errorCode: reader.readInt16(),
    highWatermark: reader.readInt64(),
    lastStableOffset: reader.readInt64(),
    logStartOffset: reader.readInt64(),
    aborted: reader.readNullableArray(() => ({ producerId: reader.readInt64(), firstOffset: reader.readInt64() })),
    abortedTransactions: [],
    preferredReadReplica: reader.readInt32(),
    records: readRecords(reader),
  }
}

function readRecords(reader: Reader): FetchedBatch[] | null {
  const bytes = reader.readNullableBytes()
  return bytes === null ? null : readBatches(bytes)
}
