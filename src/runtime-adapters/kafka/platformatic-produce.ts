import { ProduceAcks, type Producer, protocolErrorsCodesById } from '@platformatic/kafka'
import { type PartitionBatch, type ProduceVerdict, verdictOf } from './produce-verdict.ts'
import type { KafkaConnection } from './transport.ts'
import { deepestMessage } from './transport-start.ts'

type BufferProducer = Producer<Buffer, Buffer, Buffer, Buffer>

/** One produce request to the broker that leads all these partitions. */
export async function produceTo(
  leader: number,
  batches: readonly PartitionBatch[],
  { producer, acks }: { readonly producer: BufferProducer; readonly acks: KafkaConnection['acks'] },
): Promise<readonly ProduceVerdict[]> {
  try {
    await connect(producer, leader)
  } catch (error) {
    return batches.map(() => ({ kind: 'try-again', detail: deepestMessage(error) }))
  }
  try {
    // Said with each send: the client takes no notice of a producer's own `acks` (2.12), and asks for the leader's alone.
    await producer.send({
      messages: batches.flatMap(messagesOf),
      acks: acks === 'all' ? ProduceAcks.ALL : ProduceAcks.LEADER,
    })
    return batches.map(() => ({ kind: 'acknowledged' }))
  } catch (error) {
    const told = toldVerdicts(error, acks)
    const unknown: ProduceVerdict = { kind: 'unknown', detail: deepestMessage(error) }
    return batches.map(({ topic, partition }) => told.get(`${partition}/${topic}`) ?? unknown)
  }
}

/** On its own, before a byte of a record is written: what fails here is surely not in the log. */
async function connect(producer: BufferProducer, leader: number): Promise<void> {
  const broker = producer.currentMetadata?.brokers.get(leader)
  if (broker === undefined) throw new Error(`broker ${leader} is not known`)
  const pool = producer.connections
  if (pool.getEstablishedConnection(broker)?.isConnected() !== true) await pool.get(broker)
}

function messagesOf({ topic, partition, records }: PartitionBatch) {
  return records.map(({ key, value, headers }) => ({
    topic,
    partition,
    key,
    value,
    ...(headers === undefined ? {} : { headers: headerBuffers(headers) }),
  }))
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

function headerBuffers(headers: Readonly<Record<string, string>>): Map<Buffer, Buffer> {
  return new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]))
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
