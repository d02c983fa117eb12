import type { AdapterContext } from '../contract.ts'
import type { KafkaDialect } from './dialect.ts'
import type { KafkaOptions } from './options.ts'
import { ReplySteering } from './reply-steering.ts'
import type { KafkaTransport } from './transport.ts'

export interface SteeringParts {
  readonly options: KafkaOptions
  readonly dialect: KafkaDialect
  readonly transport: KafkaTransport
  readonly context: AdapterContext
}

/**
 * @returns `undefined`: every replica reads all replies
 * @throws Error in the operator's words where `KAFKA_REPLY_PARTITIONS=own` can't work
 */
export function createSteering({ options, dialect, transport, context }: SteeringParts): ReplySteering | undefined {
  if (options.replyPartitions === 'all') return undefined
  const { share, strays, log } = context
  const refuse = (why: string) => new Error(`KAFKA_REPLY_PARTITIONS=own ${why}`)
  if (share === undefined) throw refuse('needs GATEWAY_REPLICA: which replica this is, of how many.')
  if (dialect.repliesKeyedById !== true) {
    throw refuse(`can’t work: ${dialect.name}, as it is set up, does not key its replies by the call’s id.`)
  }
  const { selection } = transport
  if (selection === undefined) throw refuse(`can’t work: ${transport.name} reads all partitions.`)
  return new ReplySteering({
    selection,
    topics: dialect.topics.replies,
    share,
    partitioner: options.replyPartitioner,
    holders: () => strays?.holders?.(),
    log,
  })
}
