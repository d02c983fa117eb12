import process from 'node:process'
import kafkajs, { type IHeaders } from 'kafkajs'
import { answerParent } from '../../bench/parent-channel.ts'
import { createMisbehavingRuntime } from './misbehaving-runtime.ts'

/** The runtime behind NestJS: it answers as a Nest microservice does, on the partition and with the id that the request's headers name. */

interface Request {
  readonly call: string
  readonly amount: number
  readonly account: string
}

/** Milliseconds between two attempts at writing a reply. */
const AGAIN_MS = 300

const { FAULT_BROKERS: brokers = '', FAULT_REQUESTS: requests = '' } = process.env
const kafka = new kafkajs.Kafka({ clientId: 'faults-worker', brokers: brokers.split(','), logLevel: 0 })
const runtime = createMisbehavingRuntime()
const seen = new Set<string>()
const producer = kafka.producer({ allowAutoTopicCreation: false })
// Alone in its group, so a short session costs nothing and an outage is over soon.
const consumer = kafka.consumer({ groupId: 'faults-worker', sessionTimeout: 10_000, allowAutoTopicCreation: false })
await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic: requests, fromBeginning: true })
await consumer.run({
  async eachMessage({ partition, message: { offset, value, headers = {} } }) {
    const place = `${partition}:${offset}`
    // A group delivers again what it had not committed; that is no second request.
    if (seen.has(place) || value === null) return
    seen.add(place)
    // The app in `nest/` wrote it.
    const request = JSON.parse(value.toString()) as Request
    const eventId = header(headers, 'kafka_correlationId')
    runtime.execute({ ...request, eventId }, { text: String, write: (text) => write(headers, text) })
  },
})
answerParent(runtime.questions)

function header(headers: IHeaders, name: string): string {
  const value = headers[name]
  return value === undefined ? '' : String(value)
}

async function write(headers: IHeaders, value: string): Promise<void> {
  const message = {
    value,
    partition: Number(header(headers, 'kafka_replyPartition')),
    headers: { kafka_correlationId: header(headers, 'kafka_correlationId'), 'kafka_nest-is-disposed': '1' },
  }
  const topic = header(headers, 'kafka_replyTopic')
  for (;;) {
    try {
      await producer.send({ topic, messages: [message], acks: -1 })
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
}
