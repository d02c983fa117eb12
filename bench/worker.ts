import { Connection, fetchV17, metadataV12 } from '@platformatic/kafka'
import { partitionOfKey } from '../src/runtime-adapters/kafka/partition-of-key.ts'
import { answerParent } from './parent-channel.ts'
import { encodeProduce, type PartitionRecords, readProduceErrors } from './record-batch.ts'
import { idOf, replyTo } from './worker-reply.ts'

/**
 * The runtime of the benchmark: answers every request of one topic on another, in StateFlow's JSON. It is as cheap as Node
 * allows, so that it is never what is measured: one long fetch at a time, all its requests answered in one produce,
 * nothing parsed.
 */

interface Lane {
  readonly requestTopicId: string
  readonly replyTopic: string
  readonly replyPartitions: number
  /** Each reply has the call's id for its key, as StateFlow's StateFun functions do it. */
  readonly keyed: boolean
  /** Next offset by partition. The topics are new, so they begin at 0. */
  readonly offsets: bigint[]
}

/** Milliseconds that an empty fetch is held; after it, a change of topics takes effect. */
const FETCH_WAIT_MS = 100
const MAX_FETCH_BYTES = 8_388_608
const SESSIONLESS_EPOCH = -1
const NO_EPOCH = -1

const [host = '127.0.0.1', port = '9092'] = process.env.KAFKA_BROKERS?.split(',')[0]?.split(':') ?? []
const reader = new Connection('bench-worker-reads')
const writer = new Connection('bench-worker-writes')
await reader.connect(host, Number(port))
await writer.connect(host, Number(port))

interface ServedTopics {
  readonly requestTopic: string
  readonly replyTopic: string
  readonly keyed?: boolean
}

const lanes = new Map<string, Lane>()
let active: Lane | undefined
let nextPartition = 0

answerParent({
  async serve(input) {
    // `run.ts` writes it.
    const pair = input as ServedTopics
    const { requestTopic } = pair
    const lane = lanes.get(requestTopic) ?? (await describe(pair))
    lanes.set(requestTopic, lane)
    if (active === undefined) setImmediate(fetchNext)
    active = lane
  },
})

async function describe({ requestTopic, replyTopic, keyed = false }: ServedTopics): Promise<Lane> {
  const { topics } = await metadataV12.api.async(writer, [requestTopic, replyTopic], false, false)
  const find = (wanted: string) => {
    const found = topics.find(({ name }) => name === wanted)
    if (found === undefined) throw new Error(`there is no topic ${wanted}`)
    return found
  }
  const request = find(requestTopic)
  const leaders = new Set(topics.flatMap(({ partitions }) => partitions.map(({ leaderId }) => leaderId)))
  if (leaders.size > 1) throw new Error('the benchmark wants a single broker')
  return {
    requestTopicId: request.topicId,
    replyTopic,
    keyed,
    replyPartitions: find(replyTopic).partitions.length,
    offsets: request.partitions.map(() => 0n),
  }
}

function fetchNext(): void {
  const lane = active
  if (lane === undefined) return
  const partitions = lane.offsets.map((fetchOffset, partition) => ({
    partition,
    fetchOffset,
    currentLeaderEpoch: NO_EPOCH,
    lastFetchedEpoch: NO_EPOCH,
    partitionMaxBytes: MAX_FETCH_BYTES,
  }))
  const topics = [{ topicId: lane.requestTopicId, partitions }]
  fetchV17.api(
    reader,
    FETCH_WAIT_MS,
    1,
    MAX_FETCH_BYTES,
    0,
    0,
    SESSIONLESS_EPOCH,
    topics,
    [],
    '',
    (error, response) => {
      if (error !== null || response === undefined) throw error ?? new Error('an empty answer to a fetch')
      const replies = answerAll(lane, response)
      if (replies.length > 0) produce(lane, replies)
      fetchNext()
    },
  )
}

function answerAll({ offsets }: Lane, { responses }: fetchV17.FetchResponse): Buffer[] {
  const replies: Buffer[] = []
  for (const { partitionIndex, records } of responses.flatMap(({ partitions }) => partitions)) {
    for (const batch of records ?? []) {
      offsets[partitionIndex] = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
      for (const { value } of batch.records) {
        if (value !== null) replies.push(replyTo(value))
      }
    }
  }
  return replies
}

function produce(lane: Lane, replies: readonly Buffer[]): void {
  const batches = lane.keyed ? byKey(lane, replies) : inTurn(lane, replies)
  const request = () => encodeProduce({ topic: lane.replyTopic, batches })
  writer.send(0, 11, request, readProduceErrors, true, true, (error) => {
    if (error !== null) throw error
  })
}

/** All into one partition, the next time into the next: as the producers of runtimes do with records without a key. */
function inTurn({ replyPartitions }: Lane, replies: readonly Buffer[]): readonly PartitionRecords[] {
  const partition = nextPartition++ % replyPartitions
  return [{ partition, records: replies.map((value) => ({ key: undefined, value })) }]
}

/** Where the Java client puts them. */
function byKey({ replyPartitions }: Lane, replies: readonly Buffer[]): readonly PartitionRecords[] {
  const records = replies.map((value) => ({ key: idOf(value), value }))
  const homes = Map.groupBy(records, ({ key }) => partitionOfKey(key, replyPartitions))
  return [...homes].map(([partition, inPartition]) => ({ partition, records: inPartition }))
}
