import type { KafkaRecord } from '../kafka/transport.ts'
import { dispatchRoute, packed } from '../statefun/dispatch-message.ts'
import type { Incoming } from './engine.ts'
import { addressOf, type Egress, functionTypeOf, type Message } from './message.ts'

/**
 * The function `gateway/dispatch`, built in: on a cluster it asks a function in the gateway's place, and its state keeps
 * who is to be answered. Here the gateway is the caller itself, under the same address, and nobody has to be called for it.
 */

/** What a record on the dispatch topic asks for. */
export type Dispatched =
  | { readonly kind: 'message'; readonly message: Incoming }
  /** The answer to a ping. */
  | { readonly kind: 'answer'; readonly egress: Omit<Egress, 'seq'> }

const DISPATCH = dispatchRoute.functionType
/** Nobody reads it: answers to calls find their waiters by their key. */
const REPLY_TOPIC = DISPATCH

/** Only the dialect's own `packRequest` writes such records. */
export function dispatchedBy({ key, value }: KafkaRecord, origin: string | undefined): Dispatched {
  const { ping, function: functionType, id, type, text, base64 } = JSON.parse(value.toString())
  const correlationId = key.toString()
  if (ping === true) return { kind: 'answer', egress: replyTo(correlationId, { pong: true }) }
  const bytes = typeof text === 'string' ? Buffer.from(text) : Buffer.from(String(base64), 'base64')
  const message: Incoming = {
    target: addressOf(functionType, id),
    caller: addressOf(DISPATCH, correlationId),
    argument: { typename: type, hasValue: true, value: bytes },
    origin,
  }
  return { kind: 'message', message }
}

/** A message to `gateway/dispatch` is an answer; `undefined`: it is for another function. */
export function divertAnswer({ seq, target, caller, argument }: Message): Egress | undefined {
  if (functionTypeOf(target) !== DISPATCH) return undefined
  const answer = {
    ...(caller === null ? {} : { function: functionTypeOf(caller), id: caller.id }),
    type: argument.typename,
    ...(argument.hasValue
      ? packed(Buffer.from(argument.value))
      : { problem: 'The function answered without a value.' }),
  }
  return { ...replyTo(target.id, answer), seq }
}

function replyTo(correlationId: string, answer: object): Omit<Egress, 'seq'> {
  const value = Buffer.from(JSON.stringify({ correlation_id: correlationId, ...answer }))
  return { topic: REPLY_TOPIC, key: Buffer.from(correlationId), value }
}
