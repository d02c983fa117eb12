import process from 'node:process'
import { answerParent } from '../../bench/parent-channel.ts'
import { createKafkajsTransport } from '../../src/runtime-adapters/kafka/kafkajs-transport.ts'
import type { KafkaRecord, ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { testConnection } from '../helpers/kafka-clients.ts'
import { type Execution, type Mode, wellBehaved } from './work.ts'

/**
 * The runtime under the matrix: it executes what it reads, writes down every execution, and misbehaves on command. It speaks
 * StateFlow's JSON, and reaches Kafka by another client than the gateways under test.
 */

interface Entry {
  readonly call: string
  readonly eventId: string
  readonly value: number
  replied: boolean
}

interface Request {
  readonly event_id: string
  readonly event_type: string
  readonly fun_address: { readonly key: string | null }
  readonly payload: { readonly args?: { readonly call: string; readonly amount: number } }
}

/** Milliseconds between two attempts at writing a reply: a runtime writes until the brokers have it. */
const AGAIN_MS = 300

const { FAULT_BROKERS: brokers = '', FAULT_REQUESTS: requests = '', FAULT_REPLIES: replies = '' } = process.env
const silent = { debug() {}, info() {}, warn() {}, error() {} }
const transport = createKafkajsTransport(
  testConnection(brokers.split(','), { clientId: 'faults-worker', sendTimeoutMs: 3_000 }),
  silent,
)
const sums = new Map<string, number>()
const seen = new Set<string>()
const held: (() => void)[] = []
let executions: Entry[] = []
let mode: Mode = wellBehaved
let count = 0
/** Replies that were sent more than once, or unreadably, or late; the proof that a fault was there. */
let misdeeds = 0

await transport.start({ requestTopics: [replies], replyTopics: [requests], onRecord: take })
answerParent({
  pid: () => process.pid,
  behave(input) {
    // `worker-process.ts` writes it.
    mode = input as Mode
    if (!mode.holds) for (const release of held.splice(0)) release()
  },
  async account() {
    return { executions: executions satisfies readonly Execution[], misdeeds }
  },
  forget() {
    executions = []
    misdeeds = 0
  },
})

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
  const account = request.fun_address.key ?? ''
  const sum = (sums.get(account) ?? 0) + args.amount
  sums.set(account, sum)
  const entry: Entry = { call: args.call, eventId: request.event_id, value: sum, replied: false }
  executions.push(entry)
  count++
  reply(request, entry)
}

function reply(request: Request, entry: Entry): void {
  const { delayMs, copies, garbles, holds } = mode
  const isGarbled = garbles && count % 2 === 0
  const text = replyText(request, 'SuccessfulInvocation', { return_results: entry.value })
  const send = async () => {
    if (copies > 1 || isGarbled || delayMs > 0 || holds) misdeeds++
    for (let copy = 0; copy < copies; copy++) {
      await write(isGarbled ? garble(text, entry.eventId) : text)
      if (!isGarbled) entry.replied = true
    }
  }
  if (holds) held.push(() => void send())
  else if (delayMs > 0) setTimeout(() => void send(), delayMs)
  else void send()
}

/** In turn: cut off, another format, without any id. */
function garble(text: string, id: string): string {
  const kinds = [text.slice(0, -20), `\u0080\u0004\u0095event_id\u008c$${id}\u0094`, '{"who":"knows"}']
  return kinds[(count / 2) % kinds.length] ?? ''
}

function replyText({ event_id, fun_address }: Request, event_type: string, payload: object): string {
  return JSON.stringify({ event_id, event_type, fun_address, payload })
}

async function write(text: string): Promise<void> {
  // Without a partition of its own each reply goes where its bytes' hash leads: all partitions are used.
  const record: KafkaRecord = { topic: replies, key: Buffer.from(`reply-${count % 64}`), value: Buffer.from(text) }
  while ((await transport.send(record)).kind !== 'acknowledged') {
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
  }
}
