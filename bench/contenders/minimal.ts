import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { Consumer, type MessageToProduce, ProduceAcks, Producer, stringSerializers } from '@platformatic/kafka'
import fastify from 'fastify'
import { listeningPort } from '../listening-port.ts'
import { answerParent } from '../parent-channel.ts'

/**
 * The yardstick: the least program that takes the same call over HTTP to Kafka and back with the same libraries. It checks
 * schemas, and has none of the protections: no limits, no verdict on what a broker refused, no new leader, no drain, no metrics.
 */

interface Call {
  readonly startedAt: number
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

const DEADLINE_MS = 10_000
const SWEEP_MS = 500

const { BENCH_BROKERS: brokers = '', BENCH_REQUESTS: requests = '', BENCH_REPLIES: replies = '' } = process.env
const client = { clientId: 'bench-minimal', bootstrapBrokers: brokers.split(',') }
const producer = new Producer({ ...client, serializers: stringSerializers })
const consumer = new Consumer({ ...client, groupId: `bench-minimal-${randomUUID()}`, maxWaitTime: 500, minBytes: 1 })
const waiting = new Map<string, Call>()
await producer.metadata({ topics: [requests] })
await readReplies()

let gathered: MessageToProduce<string, string, string, string>[] = []

/** All calls of one tick go in one request. */
function send(key: string, value: string): void {
  if (gathered.length === 0) setImmediate(flush)
  gathered.push({ topic: requests, key, value })
}

function flush(): void {
  const messages = gathered
  gathered = []
  producer.send({ messages, acks: ProduceAcks.ALL }).catch((error: unknown) => process.stderr.write(`${error}\n`))
}

async function readReplies(): Promise<void> {
  const { topics } = await consumer.metadata({ topics: [replies] })
  const topic = topics.get(replies)
  const [first] = topic?.partitions ?? []
  if (topic === undefined || first === undefined) throw new Error(`there is no topic ${replies}`)
  const ends = (await consumer.listOffsets({ topics: [replies] })).get(replies) ?? []
  const offsets = topic.partitions.map((_, partition) => ends[partition] ?? 0n)
  void fetchNext({ node: first.leader, topicId: topic.id, offsets })
}

interface Reading {
  readonly node: number
  readonly topicId: string
  readonly offsets: bigint[]
}

async function fetchNext({ node, topicId, offsets }: Reading): Promise<never> {
  for (;;) {
    const partitions = offsets.map((fetchOffset, partition) => ({
      ...{ partition, fetchOffset, partitionMaxBytes: 4 << 20 },
      ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
    }))
    const { responses } = await consumer.fetch({ node, topics: [{ topicId, partitions }] })
    for (const { partitionIndex, records } of responses.flatMap((response) => response.partitions)) {
      for (const batch of records ?? []) {
        offsets[partitionIndex] = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
        for (const record of batch.records) take(record.key, record.value)
      }
    }
  }
}

function take(key: Buffer | null, value: Buffer | null): void {
  const id = key?.toString('latin1') ?? ''
  const call = waiting.get(id)
  if (call === undefined) return
  waiting.delete(id)
  call.resolve(JSON.parse(value?.toString() ?? 'null'))
}

setInterval(() => {
  const oldest = performance.now() - DEADLINE_MS
  for (const [id, { startedAt, reject }] of waiting) {
    if (startedAt > oldest) break
    waiting.delete(id)
    reject(Object.assign(new Error('no reply'), { statusCode: 504 }))
  }
}, SWEEP_MS)

interface Route {
  readonly Params: { readonly key: string }
  readonly Body: { readonly amount: number; readonly item: string }
}

const schema = {
  params: { type: 'object', properties: { key: { type: 'string', minLength: 1, maxLength: 200 } }, required: ['key'] },
  body: {
    type: 'object',
    properties: { amount: { type: 'integer' }, item: { type: 'string', minLength: 1, maxLength: 200 } },
    required: ['amount', 'item'],
    additionalProperties: false,
  },
  response: { 200: { type: 'boolean' } },
}

const app = fastify()
app.post<Route>('/user/:key/buy_item', { schema }, ({ params: { key }, body }) => {
  const id = randomUUID()
  return new Promise((resolve, reject) => {
    waiting.set(id, { startedAt: performance.now(), resolve, reject })
    send(key, JSON.stringify({ id, key, method: 'buy_item', args: body }))
  })
})
await app.listen({ host: '127.0.0.1', port: 0 })
answerParent({ port: () => listeningPort(app) })
