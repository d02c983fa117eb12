import {
  type Connection,
  ProduceAcks,
  type Producer,
  produceV11,
  protocolErrorsCodesById,
  Writer,
} from '@platformatic/kafka'
import { type RecordFields, writeBatch } from './platformatic-batches.ts'
import { type PartitionBatch, type ProduceVerdict, verdictOf } from './produce-verdict.ts'
import type { KafkaConnection, KafkaRecord } from './transport.ts'
import { deepestMessage } from './transport-start.ts'

type BufferProducer = Producer<Buffer, Buffer, Buffer, Buffer>

export interface ProduceOptions {
  readonly producer: BufferProducer
  readonly connection: Pick<KafkaConnection, 'acks' | 'sendTimeoutMs'>
  /** As `quickVersion` says. */
  readonly version: number | undefined
}

/** Versions of one request that a broker knows. */
interface KnownVersions {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
}

/** Kafka's number for Produce. */
const PRODUCE = 0
/** Versions with the same request and the same response. */
const VERSIONS = { first: 9, last: 11 }

/**
 * The version of Produce in which batches are written here, which takes a quarter of what it takes the client. `undefined`: by the client, which
 * compresses, and knows brokers before Kafka 2.8.
 */
export function quickVersion(
  apis: readonly KnownVersions[],
  compression: KafkaConnection['compression'],
): number | undefined {
  const { minVersion = 0, maxVersion = 0 } = apis.find(({ name }) => name === 'Produce') ?? {}
  const version = Math.min(maxVersion, VERSIONS.last)
  return compression === 'none' && version >= Math.max(minVersion, VERSIONS.first) ? version : undefined
}

/** One produce request to the broker that leads all these partitions. */
export async function produceTo(
  leader: number,
  batches: readonly PartitionBatch[],
  options: ProduceOptions,
): Promise<readonly ProduceVerdict[]> {
  const { producer, version } = options
  const { acks, sendTimeoutMs: timeoutMs } = options.connection
  const writeOptions = { acks: acksOf(acks), timeoutMs }
  let connection: Connection
  try {
    connection = await connect(producer, leader)
  } catch (error) {
    return batches.map(() => ({ kind: 'try-again', detail: deepestMessage(error) }))
  }
  try {
    if (version === undefined) await sendByClient(batches, options)
    else await send(connection, version, () => writeProduce(batches.map(written), writeOptions))
    return batches.map(() => ({ kind: 'acknowledged' }))
  } catch (error) {
    const told = toldVerdicts(error, acks)
    const unknown: ProduceVerdict = { kind: 'unknown', detail: deepestMessage(error) }
    return batches.map(({ topic, partition }) => told.get(`${partition}/${topic}`) ?? unknown)
  }
}

/** On its own, before a byte of a record is written: what fails here is surely not in the log. */
async function connect(producer: BufferProducer, leader: number): Promise<Connection> {
  const broker = producer.currentMetadata?.brokers.get(leader)
  if (broker === undefined) throw new Error(`broker ${leader} is not known`)
  const pool = producer.connections
  const known = pool.getEstablishedConnection(broker)
  return known?.isConnected() === true ? known : pool.get(broker)
}

function send(connection: Connection, version: number, write: () => Writer): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  connection.send(PRODUCE, version, write, produceV11.parseResponse, true, true, (error, response) => {
    if (error === null) resolve(response)
    else reject(error)
  })
  return promise
}

export interface WrittenBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly RecordFields[]
}

export interface WriteOptions {
  /** As the protocol counts them. */
  readonly acks: number
  /** For which the leader waits for its followers. */
  readonly timeoutMs: number
}

/** The produce request of any version from 9 to 11. */
export function writeProduce(batches: readonly WrittenBatch[], { acks, timeoutMs }: WriteOptions): Writer {
  const byTopic = [...Map.groupBy(batches, ({ topic }) => topic)]
  return Writer.create()
    .appendString(null) // no transaction
    .appendInt16(acks)
    .appendInt32(timeoutMs)
    .appendArray(byTopic, (topics, [topic, ofTopic]) => {
      topics.appendString(topic).appendArray(ofTopic, (partitions, { partition, records }) => {
        const batch = writeBatch(records)
        partitions
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch)
      })
    })
    .appendTaggedFields()
}

function written({ topic, partition, records }: PartitionBatch): WrittenBatch {
  return { topic, partition, records: records.map(fieldsOf) }
}

function fieldsOf({ key, value, headers }: KafkaRecord): RecordFields {
  return headers === undefined ? { key, value } : { key, value, headers: headerBuffers(headers) }
}

async function sendByClient(
  batches: readonly PartitionBatch[],
  { producer, connection }: ProduceOptions,
): Promise<void> {
  // Said with each send: the client takes no notice of a producer's own `acks` (2.12), and asks for the leader's alone.
  await producer.send({ messages: batches.flatMap(messagesOf), acks: acksOf(connection.acks) })
}

function acksOf(acks: KafkaConnection['acks']): number {
  return acks === 'all' ? ProduceAcks.ALL : ProduceAcks.LEADER
}

function messagesOf({ topic, partition, records }: PartitionBatch) {
  return records.map(({ key, value, headers }) => ({
    topic,
    partition,
    key,
    value,
    ...(headers === undefined ? {} : { headers: new Map(headerBuffers(headers)) }),
  }))
}

function headerBuffers(headers: Readonly<Record<string, string>>): readonly (readonly [Buffer, Buffer])[] {
  return Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])
}

interface PartitionResponse {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: bigint
}

/** A failed produce as the client tells it: ResponseError, or a list of them. */
interface ProduceFailure {
  readonly errors?: readonly unknown[]
  readonly produced?: { readonly offsets?: readonly { readonly topic: string; readonly partition: number }[] }
  readonly response?: {
    readonly responses: readonly { readonly name: string; readonly partitionResponses: readonly PartitionResponse[] }[]
  }
}

/** What the broker said of each partition, from wherever the client put it in its errors. */
function toldVerdicts(error: unknown, acks: KafkaConnection['acks']): Map<string, ProduceVerdict> {
  const told = new Map<string, ProduceVerdict>()
  for (const { response, produced } of failuresIn(error)) {
    for (const { topic, partition } of produced?.offsets ?? []) {
      told.set(`${partition}/${topic}`, { kind: 'acknowledged' })
    }
    for (const { name, partitionResponses } of response?.responses ?? []) {
      for (const said of partitionResponses) told.set(`${said.index}/${name}`, verdictOfResponse(said, acks))
    }
  }
  return told
}

function* failuresIn(error: unknown): Generator<ProduceFailure> {
  if (!(error instanceof Error)) return
  // The client's own shape of a failed produce, which its types leave open.
  const failure = error as ProduceFailure & Error
  yield failure
  for (const inner of failure.errors ?? []) yield* failuresIn(inner)
}

function verdictOfResponse(
  { errorCode, baseOffset }: PartitionResponse,
  acks: KafkaConnection['acks'],
): ProduceVerdict {
  if (errorCode === 0) return { kind: 'acknowledged' }
  return verdictOf({ error: protocolErrorsCodesById[errorCode] ?? String(errorCode), baseOffset, acks })
}
