import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { Capabilities, Invocation, NotSent, Outcome } from '../contract.ts'
import { asUuid } from '../kafka/as-uuid.ts'
import type { KafkaDialect } from '../kafka/dialect.ts'
import { notSent } from '../kafka/not-sent.ts'
import { UnreadableReply } from '../kafka/reply-json.ts'
import type { KafkaRecord, ReceivedRecord } from '../kafka/transport.ts'
import { findEventId } from './correlation.ts'
import { type EntityPlan, planEntity, planFor, type RequestPlan } from './entity-plan.ts'
import { functionTypeOf, NO_FUNCTION } from './function-type.ts'
import { harmOf } from './harmful-argument.ts'
import { jsonCodec } from './json-codec.ts'
import type { StateflowOptions } from './options.ts'
import { outcomeOf } from './outcome.ts'
import { pickleCodec } from './pickle-codec.ts'
import type { Call, EventCodec, ReplyEvent } from './request-shape.ts'
import { dataflowRouting, type Route, type Routing, statefunRouting } from './routing.ts'

const capabilities: Capabilities = {
  create: true,
  find: true,
  readState: false,
  readAttribute: true,
  writeAttribute: true,
  enforcesReadOnly: false,
  atomic: false,
  // Runtimes read requests from the log’s end and never again: one sent while a runtime is down is lost.
  delivery: 'at-most-once',
}

const DEFAULTS: StateflowOptions = {
  serializer: 'pickle',
  routing: 'dataflow',
  requestTopic: 'client_request',
  replyTopic: 'client_reply',
  pingTopic: 'globals_ping',
  topicPrefix: '',
}

export interface StateflowDialectOptions extends Partial<StateflowOptions> {
  readonly entities: readonly EntityDescriptor[]
}

/** Metadata that would make requests StateFlow can’t take. One bad record ends a whole PyFlink job, so none is sent. */
export class StateflowMetadataError extends Error {
  override readonly name = 'StateflowMetadataError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(['StateFlow can’t serve this metadata:', ...problems].join('\n  '))
    this.problems = problems
  }
}

/** @throws StateflowMetadataError with every problem of every entity */
export function createStateflowDialect({ entities, ...given }: StateflowDialectOptions): KafkaDialect {
  const options = { ...DEFAULTS, ...given }
  const codec = options.serializer === 'pickle' ? pickleCodec : jsonCodec
  const routing = options.routing === 'statefun' ? statefunRouting(options) : dataflowRouting(options)
  const plans = planEntities(entities, { codec, routing, options })
  const encodePing = codec.compile({
    request: 'Ping',
    type: NO_FUNCTION,
    keyType: undefined,
    payload: { kind: 'empty' },
  })
  return {
    name: 'stateflow',
    capabilities,
    topics: { requests: requestTopics(plans, routing), replies: [options.replyTopic] },
    encode: (invocation) => encode(plans, invocation),
    // StateFlow's StateFun functions key them so; its PyFlink and Beam jobs write no key.
    repliesKeyedById: options.routing === 'statefun',
    correlationOf: ({ key, value }) => asUuid(key) ?? findEventId(value),
    decode: (record, invocation) => decode(codec, record, { plans, invocation }),
    ping: (id) => {
      const call: Call = { id, key: undefined, args: {}, value: undefined }
      return toRecord(routing.ping, call, encodePing(call))
    },
    silenceHint:
      `Asked on ${routing.ping.topic} by ${options.serializer}: no runtime is running, or it has another serializer ` +
      `(STATEFLOW_SERIALIZER) or other topics.`,
    isPong: (record) => isPong(codec, record),
  }
}

type Plans = ReadonlyMap<string, EntityPlan>

function planEntities(
  entities: readonly EntityDescriptor[],
  context: { readonly codec: EventCodec; readonly routing: Routing; readonly options: StateflowOptions },
): Plans {
  const problems: string[] = []
  const report = (problem: string) => void problems.push(problem)
  const types = new Map(entities.map((entity) => [entity.name, functionTypeOf(entity)]))
  const typeOf = (name: string) => types.get(name)
  const { codec, routing, options } = context
  const plans = new Map(
    entities.map((entity) => {
      if (options.routing === 'statefun' && entity.key.type === 'integer') {
        report(`${entity.name} has integer keys; StateFun addresses entities by text.`)
      }
      return [entity.name, planEntity(entity, { codec, routing, typeOf, report })]
    }),
  )
  if (problems.length > 0) throw new StateflowMetadataError(problems)
  return plans
}

function requestTopics(plans: Plans, { ping }: Routing): readonly string[] {
  const used = [...plans.values()].flatMap(({ create, find, call }) => [
    find.route.topic,
    ...(create === undefined ? [] : [create.route.topic]),
    ...[...call.values()].map(({ route }) => route.topic),
  ])
  return [...new Set([...used, ping.topic])]
}

function encode(plans: Plans, invocation: Invocation): KafkaRecord | NotSent {
  const { id, target, args } = invocation
  const key = target.kind === 'create' ? undefined : target.key
  const refusal = checkKey(target.entity, key ?? createdKey(target.entity, args))
  if (refusal !== undefined) return refusal
  const harm = harmOf(invocation)
  if (harm !== undefined) return notSent('unsupported', harm)
  const call: Call = { id, key, args, value: target.kind === 'write-attribute' ? target.value : undefined }
  const { route, encode: write } = planOf(plans, invocation)
  return toRecord(route, call, write(call))
}

function createdKey({ create }: EntityDescriptor, args: Invocation['args']): unknown {
  return create?.keyParam === undefined ? undefined : args[create.keyParam]
}

/** StateFlow takes a falsy key for none at all, and a call without a key for a create, which ends a PyFlink job. */
function checkKey({ name, key: { type } }: EntityDescriptor, key: unknown): NotSent | undefined {
  if (key === undefined) return undefined
  const isRight =
    type === 'string' ? typeof key === 'string' && key !== '' : typeof key !== 'string' && Number(key) !== 0
  if (isRight) return undefined
  const detail = `StateFlow can’t have a ${name} with the key ${JSON.stringify(String(key))}: it would take it for no key.`
  return notSent('unsupported', detail)
}

function planOf(plans: Plans, { target }: Invocation): RequestPlan {
  const entity = plans.get(target.entity.name)
  const plan = entity && planFor(entity, target)
  if (plan === undefined) throw new Error(`StateFlow can’t be asked for ${target.kind} of ${target.entity.name}.`)
  return plan
}

function toRecord({ topic, recordKey }: Route, call: Call, value: Buffer): KafkaRecord {
  return { topic, key: Buffer.from(recordKey(call)), value }
}

function decode(
  codec: EventCodec,
  { value }: ReceivedRecord,
  { plans, invocation }: { readonly plans: Plans; readonly invocation: Invocation },
): Outcome {
  const { request } = planOf(plans, invocation)
  const reply = tryRead(codec, value)
  return typeof reply === 'string' ? { kind: 'malformed', detail: reply } : outcomeOf(reply, request, invocation)
}

/** @returns the reason as text when the reply can’t be read */
function tryRead(codec: EventCodec, value: Buffer): ReplyEvent | string {
  try {
    return codec.read(value)
  } catch (error) {
    return error instanceof UnreadableReply ? error.message : 'The reply can’t be read.'
  }
}

/** Spares most replies the parsing: only a pong has its name in it. */
function isPong(codec: EventCodec, { value }: ReceivedRecord): boolean {
  if (!value.includes('Pong')) return false
  const reply = tryRead(codec, value)
  return typeof reply !== 'string' && reply.type === 'Pong'
}
