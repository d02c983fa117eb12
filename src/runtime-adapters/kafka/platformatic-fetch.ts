import {
  type Consumer,
  FetchIsolationLevels,
  GenericError,
  ListOffsetTimestamps,
  protocolErrorsCodesById,
  UnsupportedCompressionError,
} from '@platformatic/kafka'
import { type FetchedPartition, type FetchPort, UnreadableBatchError } from './fetch-port.ts'
import { quickFetching } from './platformatic-fetching.ts'
import type { KafkaConnection, TransportSubscription } from './transport.ts'

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>

const maxFetchBytes = 50 << 20
const maxPartitionBytes = 4 << 20
const noEpoch = -1
const isolationLevels = {
  committed: FetchIsolationLevels.READ_COMMITTED,
  uncommitted: FetchIsolationLevels.READ_UNCOMMITTED,
} as const

/** Raw fetches of a consumer that never joins its group. */
export function createFetchPort(
  consumer: Consumer,
  { replyTopics }: TransportSubscription,
  isolation: KafkaConnection['isolation'],
): FetchPort {
  const topicIds = new Map<string, string>()
  const topicNames = new Map<string, string>()
  const connectionPool = quickFetching(consumer.connections)

  return {
    async leaders() {
      const { topics, brokers } = await consumer.metadata({ topics: [...replyTopics], forceUpdate: true })
      return [...topics].flatMap(([topic, { id: topicId, partitions }]) => {
        topicIds.set(topic, topicId)
        topicNames.set(topicId, topic)
        return partitions.map(({ leader }, partition) => {
          return { topic, topicId, partition, leader: brokers.has(leader) ? leader : undefined }
        })
      })
    },
    async offsets(at) {
      const timestamp = at === 'start' ? ListOffsetTimestamps.EARLIEST : ListOffsetTimestamps.LATEST
      // At the start the end of everything, not of what is committed: no reply of before it is read.
      const isolationLevel = at === 'readable-end' ? isolationLevels[isolation] : FetchIsolationLevels.READ_UNCOMMITTED
      const offsets = await consumer.listOffsets({ topics: [...replyTopics], timestamp, isolationLevel })
      return (topic, partition) => offsets.get(topic)?.[partition]
    },
    async fetch({ leader, positions, oneBatch, gather }) {
      const maxBytes = oneBatch ? 1 : maxPartitionBytes
      const byTopic = Map.groupBy(positions, ({ topic }) => topic)
      const topics = [...byTopic].map(([topic, inTopic]) => ({
        topicId: topicIds.get(topic) ?? topic,
        partitions: inTopic.map(({ partition, next }) => ({
          partition,
          fetchOffset: next,
          currentLeaderEpoch: noEpoch,
          lastFetchedEpoch: noEpoch,
          partitionMaxBytes: maxBytes,
        })),
      }))
      const isolationLevel = isolationLevels[isolation]
      const limit = oneBatch ? 1 : maxFetchBytes
      const response = await consumer
        .fetch({
          ...{ node: leader, topics, connectionPool, isolationLevel, maxBytes: limit },
          ...(gather && { minBytes: gather.minBytes, maxWaitTime: gather.maxWaitMs }),
        })
        .catch((error: unknown) => responseIn(error))
      return response.responses.flatMap(({ topicId, partitions }) =>
        partitions.map((partition) => fetched(topicNames.get(topicId) ?? topicId, partition)),
      )
    },
  }
}

/** Read by the client, or by `quickFetching`. */
type Fetched = FetchResponse['responses'][number]['partitions'][number] & Partial<Pick<FetchedPartition, 'aborted'>>

function fetched(topic: string, { partitionIndex, errorCode, records, abortedTransactions, aborted }: Fetched) {
  const error = errorCode === 0 ? undefined : (protocolErrorsCodesById[errorCode] ?? String(errorCode))
  const partition: FetchedPartition = {
    topic,
    partition: partitionIndex,
    error,
    batches: records ?? [],
    aborted: aborted ?? abortedTransactions ?? [],
  }
  return partition
}

/** Codes of errors that say something of the connection or the request; any other comes from reading a response. */
const readingErrors: readonly string[] = [UnsupportedCompressionError.code, 'PLT_KFK_OUT_OF_BOUNDS']

/** A response with an error in one partition is thrown by the client, with what it holds of the others. */
function responseIn(error: unknown): FetchResponse {
  if (!(error instanceof Error)) throw error
  const { response, code } = error as { response?: FetchResponse; code?: string } & Error
  if (response?.responses !== undefined) {
    if (response.errorCode === 0) return response
    // The broker has forgotten the fetch session, and so has the client now: the next fetch begins a new one.
    const name = protocolErrorsCodesById[response.errorCode] ?? ''
    if (name.startsWith('FETCH_SESSION') || name === 'INVALID_FETCH_SESSION_EPOCH')
      return { ...response, responses: [] }
    throw error
  }
  if (!GenericError.isGenericError(error) || (code !== undefined && readingErrors.includes(code))) {
    throw new UnreadableBatchError(error.message, { cause: error })
  }
  throw error
}
