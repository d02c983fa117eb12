import {
  type Address,
  type DelayedMessage,
  type Effects,
  type EgressMessage,
  kafkaProducerRecord,
  type OutgoingMessage,
  type StateMutation,
  type TypedValue,
} from '../statefun/protobuf.ts'
import type { Change, StateEntry, ValueChange } from './engine-store.ts'
import { type Delay, type Egress, type Message, placeOf } from './message.ts'
import { type Spec, toNumber } from './state-specs.ts'

const KAFKA_RECORD = 'type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord'

/** Milliseconds since 1970 of the last moment that JavaScript knows; functions say “never” by times that are beyond any number here. */
const END_OF_TIME_MS = 8.64e15

export interface EffectsContext {
  readonly target: Address
  /** The batch that has had these effects. */
  readonly messages: readonly Message[]
  readonly specs: ReadonlyMap<string, Spec>
  readonly values: ReadonlyMap<string, StateEntry>
  readonly nextSeq: () => number
  readonly nowMs: number
  /** The delay that a function with this id has given this token. */
  readonly findDelay: (id: string, token: string) => number | undefined
}

/** What is to be kept of a batch. */
export interface Plan extends Change {
  readonly values: readonly ValueChange[]
  readonly addMessages: readonly Message[]
  readonly addDelays: readonly Delay[]
  readonly removeDelays: readonly number[]
  readonly addEgresses: readonly Egress[]
  /** Egress messages that are for no Kafka topic. */
  readonly dropped: number
}

/** A function wants what can't be done. */
class ImpossibleEffect extends Error {
  override readonly name = 'ImpossibleEffect'
}

/** @returns why it can't be done, as text */
export function planEffects(effects: Effects, context: EffectsContext): Plan | string {
  try {
    const addMessages = effects.outgoingMessages.map((message) => toMessage(message, context))
    const { addDelays, removeDelays } = planDelays(effects.delayedInvocations, context)
    const addEgresses = effects.outgoingEgresses.flatMap((egress) => toEgress(egress, context))
    return {
      values: planValues(effects, context),
      addMessages,
      addDelays,
      removeDelays,
      addEgresses,
      dropped: effects.outgoingEgresses.length - addEgresses.length,
      removeMessages: context.messages.map(({ seq }) => seq),
    }
  } catch (error) {
    if (error instanceof ImpossibleEffect) return error.message
    throw error
  }
}

function planValues({ stateMutations }: Effects, context: EffectsContext): readonly ValueChange[] {
  if (stateMutations.length === 0 && context.values.size === 0) return []
  const place = placeOf(context.target)
  const changes = new Map<string, ValueChange>()
  for (const { name, entry } of aged(context)) changes.set(name, { place, name, entry })
  for (const mutation of stateMutations) {
    const name = mutation.stateName
    changes.set(name, { place, name, entry: mutated(mutation, context) })
  }
  return [...changes.values()]
}

/** What has expired goes; what has been given to the function was read, and that may prolong it. */
function aged({ specs, values, nowMs }: EffectsContext): readonly Omit<ValueChange, 'place'>[] {
  return [...specs.values()].flatMap(({ expiration, name }): readonly Omit<ValueChange, 'place'>[] => {
    const { value, expiresAtMs } = values.get(name) ?? {}
    if (value === undefined || expiresAtMs === undefined) return []
    if (expiresAtMs <= nowMs) return [{ name, entry: undefined }]
    return expiration.kind === 'after-invoke'
      ? [{ name, entry: { value, expiresAtMs: inMs(expiration.afterMs, nowMs) } }]
      : []
  })
}

function mutated({ mutationType, stateName, stateValue: value }: StateMutation, context: EffectsContext) {
  const spec = context.specs.get(stateName)
  if (spec === undefined) throw new ImpossibleEffect(`It writes a state "${stateName}" that it has not declared.`)
  if (mutationType === 0) return undefined
  if (value === null) throw new ImpossibleEffect(`It writes no value into its state "${stateName}".`)
  return { value: copied(value), expiresAtMs: expiryOf(spec, context.nowMs) }
}

function expiryOf({ expiration: { kind, afterMs } }: Spec, nowMs: number): number | undefined {
  return kind === 'never' ? undefined : inMs(afterMs, nowMs)
}

function inMs(ms: number, nowMs: number): number {
  return Math.min(END_OF_TIME_MS, nowMs + Math.max(0, ms))
}

/** A value that was decoded is a view of its whole message, which it would keep; and one without bytes is no `Uint8Array`. */
function copied({ typename, hasValue, value }: TypedValue): TypedValue {
  return { typename, hasValue, value: Buffer.from(value) }
}

function toMessage(
  { target, argument }: OutgoingMessage,
  { target: caller, messages, nextSeq }: EffectsContext,
): Message {
  if (target === null || argument === null)
    throw new ImpossibleEffect('It sends a message without a target or a value.')
  const origin = commonOrigin(messages)
  return { seq: nextSeq(), target, caller, argument: copied(argument), origin, isFirst: false }
}

/** Nobody says which message of a batch has had which effect: only where all are of one call, it is known. */
function commonOrigin(messages: readonly Message[]): string | undefined {
  const origin = messages[0]?.origin
  return messages.every((message) => message.origin === origin) ? origin : undefined
}

type PlannedDelays = Pick<Plan, 'addDelays' | 'removeDelays'>
const NO_DELAYS: PlannedDelays = { addDelays: [], removeDelays: [] }

/** In their order: what is delayed and cancelled in one go is never sent. */
function planDelays(delayed: readonly DelayedMessage[], context: EffectsContext): PlannedDelays {
  if (delayed.length === 0) return NO_DELAYS
  const added = new Map<string | number, Delay>()
  const removed = new Map<string, number>()
  const known = (token: string) =>
    token === '' || removed.has(token) ? undefined : context.findDelay(context.target.id, token)

  function cancel(token: string): void {
    if (token === '') throw new ImpossibleEffect('It cancels a delayed message without a token.')
    const earlier = known(token)
    if (!added.delete(token) && earlier !== undefined) removed.set(token, earlier)
  }

  function delay(one: DelayedMessage, token: string): void {
    if (known(token) !== undefined || added.has(token)) {
      throw new ImpossibleEffect(`It gives the cancellation token "${token}" to a second delayed message.`)
    }
    const message = toMessage(one, context)
    const dueMs = inMs(toNumber(one.delayInMs), context.nowMs)
    added.set(token === '' ? message.seq : token, { seq: message.seq, dueMs, token, message })
  }

  for (const one of delayed) {
    if (one.isCancellationRequest) cancel(one.cancellationToken)
    else delay(one, one.cancellationToken)
  }
  return { addDelays: [...added.values()], removeDelays: [...removed.values()] }
}

function toEgress({ argument }: EgressMessage, { nextSeq }: EffectsContext): readonly Egress[] {
  if (argument?.typename !== KAFKA_RECORD) return []
  try {
    const { topic, key, valueBytes } = kafkaProducerRecord.decode(argument.value)
    return [{ seq: nextSeq(), topic, key: Buffer.from(key), value: Buffer.from(valueBytes) }]
  } catch {
    throw new ImpossibleEffect('It answers by a Kafka record that can’t be read.')
  }
}
