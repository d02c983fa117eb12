import { type Context, kafkaEgressMessage, type Message, messageBuilder, StateFun } from 'apache-flink-statefun'
import { FLEETING_MS, type Place, type Side, type Step, type Stumble } from './statefun-program.ts'

/** From the gateway. */
interface Request {
  readonly correlation_id: string
  readonly method: string
  readonly args: { readonly steps?: readonly Step[]; readonly x?: number; readonly stumble?: Stumble }
}

/** Between functions: a chain on its way, or something to add. */
type Told =
  | {
      readonly kind: 'chain'
      readonly correlation_id: string
      readonly steps: readonly Step[]
      readonly seen: readonly unknown[]
      readonly stumble?: Stumble | undefined
    }
  | { readonly kind: 'add'; readonly x: number }

const RequestType = StateFun.jsonType<Request>('lab/request')
const ToldType = StateFun.jsonType<Told>('lab/told')
const ListType = StateFun.jsonType<readonly number[]>('lab/list')

/** Binds `lab/left` or `lab/right`, which walk through programs. */
export function bindSide(statefun: StateFun, side: Side, replyTopic: string): void {
  const hour = 3_600_000
  statefun.bind({
    typename: `lab/${side}`,
    specs: [
      { name: 'sum', type: StateFun.intType() },
      { name: 'arrived', type: StateFun.intType() },
      { name: 'list', type: ListType },
      { name: 'fleeting', type: StateFun.stringType(), expireAfterWrite: FLEETING_MS },
      { name: 'lasting', type: StateFun.stringType(), expireAfterCall: hour },
    ],
    fn(context, message) {
      const reply = (correlation_id: string, answer: object) =>
        context.send(
          kafkaEgressMessage({
            typename: 'lab/replies',
            topic: replyTopic,
            key: correlation_id,
            value: JSON.stringify({ correlation_id, ...answer }),
          }),
        )
      if (message.is(RequestType)) onRequest(context, parsed(message.as(RequestType)), reply)
      else onTold(context, parsed(message.as(ToldType)), reply)
    },
  })
}

type Reply = (correlation_id: string, answer: object) => void
type Chain = Told & { readonly kind: 'chain' }

function onRequest(context: Context, { correlation_id, method, args }: Request, reply: Reply): void {
  switch (method) {
    case 'run':
      walk(context, { kind: 'chain', correlation_id, steps: args.steps ?? [], seen: [] }, reply)
      break
    case 'add':
      add(context, args.x ?? 0)
      reply(correlation_id, { ok: true, result: null })
      break
    case 'report': {
      const { sum, arrived, list, lasting } = context.storage
      reply(correlation_id, { ok: true, result: { sum, arrived: arrived ?? 0, list, lasting } })
    }
  }
}

function onTold(context: Context, told: Told, reply: Reply): void {
  if (told.kind === 'add') {
    add(context, told.x)
    return
  }
  const { caller } = context
  walk(context, { ...told, seen: [...told.seen, caller === null ? null : `${caller.typename}/${caller.id}`] }, reply)
}

function add({ storage }: Context, x: number): void {
  storage.sum = (storage.sum ?? 0) + x
  storage.arrived = (storage.arrived ?? 0) + 1
}

/** Until the chain goes elsewhere, or ends with an answer. */
function walk(context: Context, { correlation_id, steps, seen: before }: Chain, reply: Reply): void {
  const seen = [...before]
  for (const [index, step] of steps.entries()) {
    switch (step.kind) {
      case 'go': {
        const left = steps.slice(index + 1)
        const onward: Chain = { kind: 'chain', correlation_id, steps: left, seen, stumble: step.stumble }
        const message = messageTo(step.to, onward)
        if (step.afterMs === undefined) context.send(message)
        else context.sendAfter(step.afterMs, message)
        return
      }
      case 'raise':
        reply(correlation_id, { ok: false, error: { code: 'LabError', message: JSON.stringify(seen) } })
        return
      default:
        seen.push(...take(context, step))
    }
  }
  reply(correlation_id, { ok: true, result: seen })
}

/** @returns what the chain has seen by this step */
function take(context: Context, step: Exclude<Step, { readonly kind: 'go' | 'raise' }>): readonly unknown[] {
  const { storage } = context
  switch (step.kind) {
    case 'note':
      storage.list = [...(storage.list ?? []), step.x]
      return [storage.list.length]
    case 'forget':
      storage.list = null
      return []
    case 'light':
      storage.fleeting = 'a match'
      storage.lasting = 'a lamp'
      return []
    case 'look':
      return [storage.fleeting, storage.lasting]
    case 'tell': {
      const message = messageTo(step.to, { kind: 'add', x: step.x })
      if (step.later === undefined) context.send(message)
      else context.sendAfter(step.later.afterMs, message, step.later.token)
      return []
    }
    case 'cancel':
      context.cancelDelayedMessage(step.token)
      return []
  }
}

function messageTo({ side, id }: Place, value: Told): Message {
  return messageBuilder({ typename: `lab/${side}`, id, value, valueType: ToldType })
}

function parsed<T>(value: T | null): T {
  if (value === null) throw new Error('a message without a value')
  return value
}
