import process from 'node:process'
import type { ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { kafkaClients, testConnection } from '../../test/helpers/kafka-clients.ts'
import { answerParent } from '../parent-channel.ts'
import { idOf, replyTo } from '../worker-reply.ts'
import { createPacedRuntime } from './paced-runtime.ts'

/** The runtime of the overload measurement: StateFlow's JSON over real Kafka, with a capacity. */

const { OVERLOAD_REQUESTS: requests = '', OVERLOAD_REPLIES: replies = '', KAFKA_BROKERS: brokers = '' } = process.env
const { OVERLOAD_WORKERS: workers = '', OVERLOAD_SERVICE_MS: serviceMs = '' } = process.env
const KEY = Buffer.from('"key":"')

const runtime = createPacedRuntime({ workers: Number(workers), serviceMs: Number(serviceMs) })
const transport = kafkaClients.platformatic?.(
  testConnection(brokers.split(','), { clientId: 'overload-worker', acks: 'leader', fetchWaitMs: 5 }),
)
if (transport === undefined) throw new Error('there is no such client')
await transport.start({ requestTopics: [replies], replyTopics: [requests], onRecord: take })
answerParent({})

function take({ value }: ReceivedRecord): void {
  runtime({
    key: keyOf(value),
    reply: () => void transport?.send({ topic: replies, key: idOf(value), value: replyTo(value) }),
  })
}

/** The address stands before the arguments, so the first key is its. */
function keyOf(request: Buffer): string {
  const from = request.indexOf(KEY) + KEY.length
  return request.toString('latin1', from, request.indexOf('"', from))
}
