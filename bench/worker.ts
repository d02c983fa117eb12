import { Connection, fetchV17, metadataV12, ProduceAcks, produceV11 } from '@platformatic/kafka'
import { partitionOfKey } from '../src/runtime-adapters/kafka/partitioners.ts'
import { type WrittenBatch, writeProduce } from '../src/runtime-adapters/kafka/platformatic-produce.ts'
import { type Answer, type Convention, conventions, delayMs, type Reply } from './conventions.ts'
import { answerParent } from './parent-channel.ts'
import type { Pause } from './pauses.ts'

/**
 * The runtime of the benchmark: answers every request of one topic on another, in the way that its sender understands. It is as
 * cheap as Node allows, so that it is never what is measured: one long fetch at a time, all its requests answered in one produce,
 * nothing parsed.
 */

interface Lane {
  readonly requestTopicId: string
  readonly replyTopic: string
  readonly replyPartitions: number
  readonly answer: Answer
  readonly delayMs: number
  /** Next offset by partition. The topics are new, so they begin at 0. */
  readonly offsets: bigint[]
}

/** Milliseconds that an empty fetch is held; after it, a change of topics takes effect. */
const FETCH_WAIT_MS = 100
const MAX_FETCH_BYTES = 8_388_608
/** Milliseconds from which the broker's answer to a produce counts as a pause. */
const PAUSE_MS = 50
const WRITE_OPTIONS = { acks: ProduceAcks.LEADER, timeoutMs: 5_000 }
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
  readonly convention?: Convention
}

const lanes = new Map<string, Lane>()
let active: Lane | undefined
let nextPartition = 0
/** Produces that took the broker long; epoch milliseconds. */
let pauses: Pause[] = []

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
  /** Those since the last question. */
  pauses() {
    const since = pauses
    pauses = []
    return since
  },
})

async function describe({ requestTopic, replyTopic, convention = 'stateflow-json' }: ServedTopics): Promise<Lane> {
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
    answer: conventions[convention],
    delayMs: delayMs(convention),
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
      if (replies.length > 0 && lane.delayMs > 0) setTimeout(produce, lane.delayMs, lane, replies)
      else if (replies.length > 0) produce(lane, replies)
      fetchNext()
    },
  )
}

function answerAll({ offsets, answer }: Lane, { responses }: fetchV17.FetchResponse): Reply[] {
  const replies: Reply[] = []
  for (const { partitionIndex, records } of responses.flatMap(({ partitions }) => partitions)) {
    for (const batch of records ?? []) {
      offsets[partitionIndex] = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
      for (const record of batch.records) {
        const reply = answer(record)
        if (reply !== undefined) replies.push(reply)
      }
    }
  }
  return replies
}

function produce(lane: Lane, replies: readonly Reply[]): void {
  const batches = intoPartitions(lane, replies)
  const request = () => writeProduce(batches, WRITE_OPTIONS)
  const startedAt = performance.now()
  writer.send(produceV11.api.key, produceV11.api.version, request, produceV11.parseResponse, true, true, (error) => {
    // A partition that was refused too.
    if (error !== null) throw error
    notePause(startedAt)
  })
}

function notePause(startedAt: number): void {
  const now = performance.now()
  if (now - startedAt < PAUSE_MS) return
  pauses.push({ startMs: performance.timeOrigin + startedAt, endMs: performance.timeOrigin + now })
}

/**
 * With a key, where the Java client puts them. Those without one all go into one partition, the next time into the next: as the
 * producers of runtimes do.
 */
function intoPartitions(
  { replyTopic: topic, replyPartitions }: Lane,
  replies: readonly Reply[],
): readonly WrittenBatch[] {
  const turn = nextPartition++ % replyPartitions
  const homes = Map.groupBy(replies, ({ partition, key }) => {
    if (partition !== undefined) return partition
    return key === undefined ? turn : partitionOfKey(key, replyPartitions)
  })
  return [...homes].map(([partition, records]) => ({ topic, partition, records }))
}
