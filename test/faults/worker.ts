import process from 'node:process'
import { answerParent } from '../../bench/parent-channel.ts'
import { createKafkajsTransport } from '../../src/runtime-adapters/kafka/kafkajs-transport.ts'
import type { ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { testConnection } from '../helpers/kafka-clients.ts'
import { createMisbehavingRuntime } from './misbehaving-runtime.ts'

/** The runtime under the matrix: it speaks StateFlow's JSON, and reaches Kafka by another client than the gateways under test. */

interface Request {
  readonly event_id: string
  readonly event_type: string
  readonly fun_address: { readonly key: string | null }
  readonly payload: { readonly args?: { readonly call: string; readonly amount: number } }
}

/** Milliseconds between two attempts at writing a reply: a runtime writes until the brokers have it. */
const AGAIN_MS = 300
/** Record keys of replies: enough to reach every partition. */
const REPLY_KEYS = 64

const { FAULT_BROKERS: brokers = '', FAULT_REQUESTS: requests = '', FAULT_REPLIES: replies = '' } = process.env
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const transport = createKafkajsTransport(
  testConnection(brokers.split(','), { clientId: 'faults-worker', sendTimeoutMs: 3_000 }),
  silent,
)
const runtime = createMisbehavingRuntime()
const seen = new Set<string>()
let written = 0

await transport.start({ requestTopics: [replies], replyTopics: [requests], onRecord: take })
answerParent(runtime.questions)

function take({ value, partition, offset }: ReceivedRecord): void {
  const place = `${partition}:${offset}`
  if (seen.has(place)) return
  seen.add(place)
  // The gateway's own encoder wrote it.
  const request = JSON.parse(value.toString()) as Request
  if (request.event_type === 'Ping') {
    void write(replyText(request, 'Pong', {}))
    return
  }
  const { args } = request.payload
  if (args === undefined) return
  const call = { ...args, account: request.fun_address.key ?? '', eventId: request.event_id }
  const text = (sum: number) => replyText(request, 'SuccessfulInvocation', { return_results: sum })
  runtime.execute(call, { text, write })
}

function replyText({ event_id, fun_address }: Request, event_type: string, payload: object): string {
  return JSON.stringify({ event_id, event_type, fun_address, payload })
}

async function write(text: string): Promise<void> {
  const key = Buffer.from(`reply-${written++ % REPLY_KEYS}`)
  while ((await transport.send({ topic: replies, key, value: Buffer.from(text) })).kind !== 'acknowledged') {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}
