import { type Producer, protocolErrorsCodesById } from '@platformatic/kafka'
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
    await producer.send({ messages: batches.flatMap(messagesOf) })
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

/** A failed produce as the client tells it, which its types leave open: ResponseError, or a list of them. */
interface ProduceFailure {
  readonly errors?: readonly unknown[]
  readonly produced?: { readonly offsets?: readonly { readonly topic: string; readonly partition: number }[] }
  readonly response?: {
    readonly responses: readonly {
      readonly name: string
      readonly partitionResponses: readonly {
        readonly index: number
        readonly errorCode: number
        readonly baseOffset: bigint
      }[]
    }[]
  }
}

function headerBuffers(headers: Readonly<Record<string, string>>): Map<Buffer, Buffer> {
  return new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]))
}

/** What the broker said of each partition, from wherever the client put it in its errors. */
function toldVerdicts(error: unknown, acks: KafkaConnection['acks']): Map<string, ProduceVerdict> {
  const told = new Map<string, ProduceVerdict>()
  const visit = (at: unknown): void => {
    // The client's own shape of a failed produce (ResponseError.response, `produced`), which its types leave open.
    const { response, produced, errors } = at as ProduceFailure
    for (const { topic, partition } of produced?.offsets ?? []) {
      told.set(`${partition}/${topic}`, { kind: 'acknowledged' })
    }
    for (const { name, partitionResponses } of response?.responses ?? []) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        const error = protocolErrorsCodesById[errorCode] ?? String(errorCode)
        told.set(
          `${index}/${name}`,
          errorCode === 0 ? { kind: 'acknowledged' } : verdictOf({ error, baseOffset, acks }),
        )
      }
    }
    for (const inner of errors ?? []) visit(inner)
  }
  if (error instanceof Error) visit(error)
  return told
}
