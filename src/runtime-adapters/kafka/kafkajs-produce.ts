import kafkajs, { type Producer } from 'kafkajs'
import type { ProduceCount } from './kafkajs-start.ts'
import { type PartitionBatch, type ProduceVerdict, verdictOf } from './produce-verdict.ts'
import type { KafkaConnection } from './transport.ts'
import { deepestMessage } from './transport-start.ts'

// A CommonJS module whose names Node can't see all.
const { CompressionTypes, KafkaJSProtocolError } = kafkajs

export interface ProduceContext {
  readonly producer: Pick<Producer, 'send'>
  readonly connection: KafkaConnection
  readonly count: Pick<ProduceCount, 'written'>
}

/**
 * One request a partition, on the way side by side: of a request with several partitions kafkajs tells the first error only, and
 * not whose it is, so one refused record would leave all the others unknown.
 */
export function produceEach(batches: readonly PartitionBatch[], context: ProduceContext): Promise<ProduceVerdict[]> {
  return Promise.all(batches.map((batch) => produceOne(batch, context)))
}

async function produceOne(
  { topic, partition, records }: PartitionBatch,
  context: ProduceContext,
): Promise<ProduceVerdict> {
  const { producer, connection, count } = context
  const writtenBefore = count.written
  try {
    await producer.send({
      topic,
      acks: connection.acks === 'all' ? -1 : 1,
      timeout: connection.sendTimeoutMs,
      compression: connection.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
      messages: records.map(({ key, value, headers }) => ({ key, value, partition, ...(headers && { headers }) })),
    })
    return { kind: 'acknowledged' }
  } catch (error) {
    const told = protocolErrorIn(error)
    const detail = deepestMessage(error)
    const verdict: ProduceVerdict =
      told === undefined
        ? { kind: 'unknown', detail }
        : verdictOf({ error: told, baseOffset: undefined, acks: connection.acks })
    // Nothing was written meanwhile, to whichever broker: kafkajs may know of another leader than we do. Then the record is nowhere.
    return verdict.kind === 'unknown' && count.written === writtenBefore ? { kind: 'try-again', detail } : verdict
  }
}

/** kafkajs has the name that Kafka used before 2.5. */
const renamed: Readonly<Record<string, string>> = { NOT_LEADER_FOR_PARTITION: 'NOT_LEADER_OR_FOLLOWER' }

function protocolErrorIn(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof KafkaJSProtocolError) return renamed[at.type] ?? at.type
  }
  return undefined
}
