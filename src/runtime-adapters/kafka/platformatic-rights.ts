import { AclOperations, type Admin, metadataV12, parseBroker } from '@platformatic/kafka'
import type { KafkaConnection, TransportSubscription } from './transport.ts'
import { TransportStartError } from './transport.ts'

/** What a broker without an answer to this question says (KIP-430). */
const NOT_SAID = -(2 ** 31)

/**
 * Asks the brokers what our user may do with each topic. A right to write that is missing would else be seen at the first call,
 * and a right to read only by silence.
 * @throws TransportStartError that names each right that is missing
 */
export async function checkRights(
  admin: Admin,
  { brokers }: KafkaConnection,
  { requestTopics, replyTopics }: TransportSubscription,
): Promise<void> {
  const topics = [...new Set([...requestTopics, ...replyTopics])]
  // Brokers before 2.8 don't know the question: what is missing there is seen later.
  const rights = await rightsOf(admin, brokers, topics).catch(() => new Map<string, number>())
  const lacks = (operation: keyof typeof AclOperations) => (topic: string) => {
    const bits = rights.get(topic)
    return bits !== undefined && (bits & (1 << AclOperations[operation])) === 0
  }
  const missing = [
    ...requestTopics.filter(lacks('WRITE')).map((topic) => `WRITE on ${topic}`),
    ...replyTopics.filter(lacks('READ')).map((topic) => `READ on ${topic}`),
  ]
  if (missing.length === 0) return
  throw new TransportStartError(
    `Kafka at ${brokers.join(', ')} refuses us: the gateway's user lacks ${missing.join(', ')}. An ACL must allow it.`,
  )
}

/** Bits by topic; without the topics of which nothing is said. */
async function rightsOf(
  admin: Admin,
  brokers: readonly string[],
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const connection = await admin.connections.getFirstAvailable(brokers.map((broker) => parseBroker(broker)))
  const { topics: told } = await metadataV12.api.async(connection, [...topics], false, true)
  return new Map(
    told.flatMap(({ name, errorCode, topicAuthorizedOperations: bits }) =>
      typeof name === 'string' && errorCode === 0 && bits !== NOT_SAID ? [[name, bits] as const] : [],
    ),
  )
}
