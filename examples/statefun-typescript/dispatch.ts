import { isUtf8 } from 'node:buffer'
import {
  type Context,
  type FunctionOpts,
  kafkaEgressMessage,
  type Message,
  messageBuilder,
  StateFun,
} from 'apache-flink-statefun'

/**
 * `gateway/dispatch`, for entities with `"correlation": "dispatch"`: takes a call from the gateway's topic, asks the function that is
 * meant, and writes what that function answers to the reply topic. So functions only answer their caller, and know neither
 * Kafka nor correlation ids. Each call has an instance of its own: its id is the call's.
 */
export interface DispatchOptions {
  /** The Kafka egress of `module.yaml`, e.g. `shop/replies`. */
  readonly egress: string
  /** The operator's choice and never a caller's: a topic that does not exist stops the cluster. */
  readonly replyTopic: string
  /** Milliseconds after which a call is forgotten that nobody has answered. */
  readonly forgetAfterMs?: number
  /** Bytes of an answer that the topic takes; a larger record would stop the cluster. */
  readonly maxAnswerBytes?: number
}

interface Call {
  readonly function: string
  readonly id: string
}

const CallType = StateFun.jsonType<Call>('gateway/call')

export function dispatchFunction({
  egress,
  replyTopic,
  forgetAfterMs = 600_000,
  maxAnswerBytes = 900_000,
}: DispatchOptions): FunctionOpts {
  function reply(context: Context, answer: object): void {
    const key = context.self.id
    const value = JSON.stringify({ correlation_id: key, ...answer })
    context.send(kafkaEgressMessage({ typename: egress, topic: replyTopic, key, value }))
  }

  function onAnswer(context: Context, message: Message): void {
    const call: Call | null = context.storage.call
    // Answered already, or forgotten.
    if (call === null) return
    context.storage.call = null
    reply(context, { ...call, type: message.valueTypeName, ...packed(message, maxAnswerBytes) })
  }

  return {
    typename: 'gateway/dispatch',
    specs: [{ name: 'call', type: CallType, expireAfterWrite: forgetAfterMs }],
    fn(context, message) {
      try {
        // Only what comes from the topic has no caller.
        if (context.caller) return onAnswer(context, message)
        const request = JSON.parse(message.rawValueBytes.toString())
        if (request.ping === true) reply(context, { pong: true })
        else ask(context, request)
      } catch (error) {
        // A function that throws is called with the same message again and again, and then stops everybody's job.
        console.error(`a message was dropped: ${error}`)
      }
    },
  }
}

interface Request extends Call {
  readonly type: string
  readonly text?: string
  readonly base64?: string
}

function ask(context: Context, { function: typename, id, type, text, base64 = '' }: Request): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(base64, 'base64')
  const asIs = StateFun.customType<Buffer>(
    type,
    (value) => value,
    (value) => value,
  )
  context.send(messageBuilder({ typename, id, value: bytes, valueType: asIs }))
  context.storage.call = { function: typename, id }
}

/** The answer as it is: whoever parses JSON on its way may lose digits. */
function packed(message: Message, maxBytes: number): object {
  if (!message.typedValue.getHasValue()) return { problem: 'The function answered without a value.' }
  const bytes = message.rawValueBytes
  const answer = isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') }
  const isTooLarge = Buffer.byteLength(JSON.stringify(answer)) > maxBytes
  return isTooLarge ? { problem: `The answer has ${bytes.length} bytes, more than the reply topic takes.` } : answer
}
