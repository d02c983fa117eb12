import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { Capabilities, Invocation, Key, NotSent, Outcome } from '../contract.ts'
import { asUuid } from '../kafka/as-uuid.ts'
import type { Foreign, KafkaDialect } from '../kafka/dialect.ts'
import { notSent } from '../kafka/not-sent.ts'
import type { KafkaRecord, ReceivedRecord } from '../kafka/transport.ts'
import { idFinder } from './correlation.ts'
import { dispatchRoute, packRequest, pingRequest, unpackReply } from './dispatch-message.ts'
import { type EntityPlan, membersOf, type Plans, planEntities, planFor } from './entity-plan.ts'
import type { FunctionAnswer } from './function-call.ts'
import { harmOf } from './harmful-argument.ts'
import type { Ingress, IngressRoute } from './ingress.ts'
import { showPointer } from './json-pointer.ts'
import type { MemberPlan } from './member-plan.ts'
import type { StatefunOptions } from './options.ts'
import { outcomeOf } from './outcome.ts'

const DEFAULTS: StatefunOptions = { replyTopics: [], dispatchTopic: 'gateway-dispatch' }

export interface StatefunDialectOptions extends Partial<StatefunOptions> {
  readonly entities: readonly EntityDescriptor[]
  /** Answers of transactions that were never committed are read too: then nothing is exactly once. */
  readonly readsUncommitted?: boolean
}

/**
 * Functions of Apache Flink StateFun, or of the engine that stands in for it.
 * @throws StatefunMetadataError with every problem of every entity
 */
export function createStatefunDialect({
  entities,
  readsUncommitted = false,
  ...given
}: StatefunDialectOptions): KafkaDialect {
  const options = { ...DEFAULTS, ...given }
  const plans = planEntities(entities, options)
  const members = allMembers(plans)
  const isDispatching = members.some(({ settings }) => settings.correlation === 'dispatch')
  const finders = payloadFinders(members)
  const requests = [...new Set(members.map(({ settings }) => settings.topic))]
  return {
    name: 'statefun',
    capabilities: capabilitiesOf([...plans.values()], readsUncommitted),
    topics: { requests, replies: replyTopicsOf(members) },
    encode: (invocation) => encode(plans, invocation),
    // What answers by record key does so with the invocation’s id; in a payload the id may stand alone.
    repliesKeyedById: members.every(({ settings }) => settings.correlation !== 'payload'),
    correlationOf: correlationBy(finders),
    correlationPlaces: [...finders.keys()],
    decode: (record, invocation) => decode(plans, record, invocation),
    ping: isDispatching
      ? (id) => ({ topic: options.dispatchTopic, key: Buffer.from(id), value: pingRequest() })
      : undefined,
    isPong,
  }
}

/**
 * What `module.yaml` must say of topics, for these entities.
 * @throws StatefunMetadataError
 */
export function ingressOf(entities: readonly EntityDescriptor[], options: Partial<StatefunOptions> = {}): Ingress {
  const members = allMembers(planEntities(entities, { ...DEFAULTS, ...options }))
  return new Map(
    members.map(({ settings }): [string, IngressRoute] => {
      const { topic, correlation, functionType, valueType } = settings
      return [topic, correlation === 'dispatch' ? dispatchRoute : { functionType, valueType }]
    }),
  )
}

function allMembers(plans: Plans): readonly MemberPlan[] {
  return [...plans].flatMap(([name, plan]) => membersOf(name, plan).map(([, member]) => member))
}

function replyTopicsOf(members: readonly MemberPlan[]): readonly string[] {
  return [...new Set(members.flatMap(({ settings }) => settings.replyTopics))]
}

function capabilitiesOf(plans: readonly EntityPlan[], readsUncommitted: boolean): Capabilities {
  const isExact = plans.length > 0 && plans.every(({ runtime }) => runtime.egress?.delivery === 'exactly-once')
  const hasState = plans.every(({ state }) => state !== undefined)
  return {
    create: true,
    find: plans.every(({ find, state }) => (find ?? state) !== undefined),
    readState: hasState,
    readAttribute: hasState,
    writeAttribute: false,
    enforcesReadOnly: false,
    atomic: false,
    delivery: isExact && !readsUncommitted ? 'exactly-once' : 'at-least-once',
  }
}

function encode(plans: Plans, invocation: Invocation): KafkaRecord | NotSent {
  const { id, args } = invocation
  const plan = planOf(plans, invocation)
  const key = functionKey(invocation)
  const reason = harmOf(args) ?? keyHarm(key)
  if (reason !== undefined) return notSent('unsupported', reason)
  const message = plan.write({ id, key, args })
  if (typeof message === 'string') return notSent('unsupported', message)
  const functionId = String(key ?? id)
  const { correlation, topic } = plan.settings
  // A record without a value restarts the whole job; a packed message may well have no bytes.
  if (message.length === 0 && correlation !== 'dispatch')
    return notSent('unsupported', 'The message would have no bytes.')
  switch (correlation) {
    case 'payload':
      return { topic, key: Buffer.from(functionId), value: message }
    case 'key':
      return { topic, key: Buffer.from(id), value: message }
    case 'dispatch':
      return { topic, key: Buffer.from(id), value: packRequest(plan.settings, functionId, message) }
  }
}

/** `undefined`: of a create whose key is made up. */
function functionKey({ target, args }: Invocation): Key | undefined {
  if (target.kind !== 'create') return target.key
  const { keyParam } = target.entity.create ?? {}
  // Its schema is that of the key, and was checked at the edge.
  return keyParam === undefined ? undefined : (args[keyParam] as Key)
}

function keyHarm(key: Key | undefined): string | undefined {
  if (key === '') return 'A function with an empty id can’t be answered.'
  if (typeof key === 'string' && !key.isWellFormed()) {
    return 'The key has half a character (a lone surrogate), which no UTF-8 can carry.'
  }
  return undefined
}

function planOf(plans: Plans, { target }: Invocation): MemberPlan {
  const entity = plans.get(target.entity.name)
  const plan = entity && planFor(entity, target)
  if (plan === undefined) throw new Error(`StateFun can’t be asked for ${target.kind} of ${target.entity.name}.`)
  return plan
}

type Finders = ReadonlyMap<string, ReturnType<typeof idFinder>>

/** By their place, in words. */
function payloadFinders(members: readonly MemberPlan[]): Finders {
  return new Map(
    members.flatMap(({ settings: { correlation, replyEncoding, envelope } }) => {
      const place = envelope.reply.correlationId
      if (correlation !== 'payload' || replyEncoding !== 'json' || place === undefined) return []
      return [[showPointer(place), idFinder(place)]]
    }),
  )
}

/**
 * Ids in the payload come first where there are any: the record’s key may be the entity’s, and look like an id. What
 * `gateway/dispatch` writes has the id in both.
 */
function correlationBy(finders: Finders): KafkaDialect['correlationOf'] {
  const inPayload = [...finders.values()]
  return ({ key, value }) => {
    for (const find of inPayload) {
      const id = find(value)
      if (id !== undefined) return id
    }
    return asUuid(key)
  }
}

const FOREIGN: Foreign = { kind: 'foreign' }

/** The search for an id finds it wherever it stands, so also in a record that only mentions the call. */
function decode(plans: Plans, { key, value }: ReceivedRecord, invocation: Invocation): Outcome | Foreign {
  const { id } = invocation
  const plan = planOf(plans, invocation)
  const answer = answerIn(value, plan, id)
  const isKeyed = key.length === id.length && key.indexOf(id) === 0
  return isKeyed || isNamed(answer, plan, id) ? outcomeOf(answer, plan, invocation) : FOREIGN
}

/** Whether the answer has the call’s id where answers have it. What can’t be read, and has no ids in it, is named by its key alone. */
function isNamed({ kind, callId }: FunctionAnswer, { settings }: MemberPlan, id: string): boolean {
  return callId === id && (kind !== 'unreadable' || settings.correlation === 'payload')
}

function answerIn(value: Buffer, plan: MemberPlan, callId: string): FunctionAnswer {
  if (plan.settings.correlation !== 'dispatch') return plan.read(value, callId)
  const reply = unpackReply(value)
  if (typeof reply === 'string') return { kind: 'unreadable', callId: undefined, detail: reply }
  const { correlationId, id, message } = reply
  if (correlationId !== callId || message === undefined) {
    return { kind: 'unreadable', callId: correlationId, detail: 'The reply belongs to another call.' }
  }
  const answer = plan.read(message, callId)
  return answer.kind === 'result' ? { ...answer, key: answer.key ?? id } : answer
}

/** Spares most replies the parsing: only a pong has its name in it. */
function isPong({ value }: ReceivedRecord): boolean {
  if (!value.includes('"pong"')) return false
  const reply = unpackReply(value)
  return typeof reply !== 'string' && reply.message === undefined
}
