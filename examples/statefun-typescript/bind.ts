import {
  type Context,
  kafkaEgressMessage,
  type Message,
  messageBuilder,
  type StateFun,
  type Type,
} from 'apache-flink-statefun'
import { type Correlated, ItemMessageType, UserMessageType } from './messages.ts'
import { type Effect, failed, type Self, type Turn } from './turn.ts'

export interface Behaviours<State, Request extends Correlated, Told extends Correlated> {
  readonly typename: string
  readonly stateType: Type<State>
  readonly requestType: Type<Request>
  readonly messageType: Type<Told>
  readonly onRequest: (self: Self<State>, request: Request) => Turn<State>
  readonly onMessage: (self: Self<State>, message: Told) => Turn<State>
  /** Where answers go; the operator's choice and never a caller's, since a topic that does not exist stops the cluster. */
  readonly replyTopic: string
}

/** Makes a function of the SDK out of two behaviours. */
export function bind<State, Request extends Correlated, Told extends Correlated>(
  statefun: StateFun,
  behaviours: Behaviours<State, Request, Told>,
): void {
  const { typename, stateType, requestType, messageType, onRequest, onMessage, replyTopic } = behaviours
  statefun.bind({
    typename,
    specs: [{ name: 'state', type: stateType }],
    fn(context, message) {
      const self: Self<State> = { id: context.self.id, state: context.storage.state }
      const turn = message.is(requestType)
        ? guarded(read(message, requestType), (request) => onRequest(self, request))
        : guarded(read(message, messageType), (told) => onMessage(self, told))
      if (turn.state !== undefined) context.storage.state = turn.state
      for (const effect of turn.effects ?? []) perform(context, effect, replyTopic)
    },
  })
}

/**
 * A function that throws is called with the same message again and again, and then stops everybody's job: so a failure is an
 * answer, and a message that can't even be read is dropped.
 */
function guarded<State, T extends Correlated>(message: T | null, behave: (message: T) => Turn<State>): Turn<State> {
  if (message === null) return {}
  try {
    return behave(message)
  } catch (error) {
    console.error('a function failed:', error)
    return { effects: [failed(message, 'INTERNAL', 'The function failed; its log says why.')] }
  }
}

function read<T>(message: Message, type: Type<T>): T | null {
  try {
    return message.as(type)
  } catch (error) {
    console.error(`a message of type ${message.valueTypeName} can't be read:`, error)
    return null
  }
}

function perform(context: Context, effect: Effect, replyTopic: string): void {
  switch (effect.kind) {
    case 'reply':
      context.send(reply(context.self.id, effect, replyTopic))
      break
    case 'send-to-user': {
      const { id, message: value } = effect
      context.send(messageBuilder({ typename: 'shop/user', id, value, valueType: UserMessageType }))
      break
    }
    case 'send-to-item':
      context.send(toItem(effect))
      break
    case 'remind-item':
      context.sendAfter(effect.reminder.afterMs, toItem(effect), effect.reminder.token)
      break
    case 'forget-reminder':
      context.cancelDelayedMessage(effect.token)
  }
}

function toItem({ id, message }: Effect & { readonly kind: 'send-to-item' | 'remind-item' }): Message {
  return messageBuilder({ typename: 'shop/item', id, value: message, valueType: ItemMessageType })
}

/** The record that the gateway waits for: its key is the call's id, and so is a member of its value. */
function reply(
  id: string,
  { call, answer }: Effect & { readonly kind: 'reply' },
  topic: string,
): ReturnType<typeof kafkaEgressMessage> {
  const { correlation_id } = call
  const value = JSON.stringify({ correlation_id, id, ...answer })
  return kafkaEgressMessage({ typename: 'shop/replies', topic, key: correlation_id, value })
}
