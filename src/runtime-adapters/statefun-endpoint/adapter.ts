import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { HealthCheck, Invocation, Log, PreparedEntities, RuntimeAdapter, StrayReplies } from '../contract.ts'
import { createCallSender } from '../kafka/call-sender.ts'
import { createCanary } from '../kafka/canary.ts'
import type { KafkaDialect } from '../kafka/dialect.ts'
import { notSent, TAKES_NO_CALLS } from '../kafka/not-sent.ts'
import { createPendingCalls, type PendingLimits, STOPPED } from '../kafka/pending-calls.ts'
import { createReplyDesk } from '../kafka/reply-desk.ts'
import type { KafkaRecord, SendResult } from '../kafka/transport.ts'
import { dispatchRoute } from '../statefun/dispatch-message.ts'
import type { Endpoint, Ingress } from '../statefun/ingress.ts'
import { dispatchedBy, divertAnswer } from './dispatch.ts'
import { createEndpointDirectory, type EndpointDirectory } from './endpoint-directory.ts'
import { createEndpointProbe } from './endpoint-probe.ts'
import { Engine, type EngineLimits } from './engine.ts'
import type { EngineStore } from './engine-store.ts'
import { addressOf, functionTypeOf } from './message.ts'

export interface EndpointAdapterOptions {
  readonly dialect: KafkaDialect
  /** Read at each send: what `prepare` commits is seen at once. */
  readonly ingress: Ingress
  /** The first that fits a function's type is taken. */
  readonly endpoints: readonly Endpoint[]
  readonly store: EngineStore
  /** Of endpoints that say nothing else. */
  readonly maxBatch: number
  readonly callTimeoutMs: number
  readonly engine: EngineLimits
  readonly pending: PendingLimits
  readonly log: Log
  readonly strays?: StrayReplies | undefined
  /** See `RuntimeAdapter`. */
  readonly prepare?: (entities: readonly EntityDescriptor[], directory: EndpointDirectory) => PreparedEntities
}

/** Functions behind endpoints, without a cluster or Kafka: the dialect's records go through an engine in this process. */
export function createEndpointAdapter(options: EndpointAdapterOptions): RuntimeAdapter {
  const { dialect, endpoints, store, maxBatch, callTimeoutMs, log, strays, prepare } = options
  const directory = createEndpointDirectory(endpoints, {
    maxBatch,
    callTimeoutMs,
    maxConnections: options.engine.maxConcurrent,
  })
  const probe = createEndpointProbe(directory)
  const pending = createPendingCalls(options.pending)
  const engine = new Engine({
    store,
    directory,
    limits: options.engine,
    onEgress: ({ seq, ...record }) => desk.onRecord({ ...record, partition: 0, offset: BigInt(seq) }),
    onFailure: (origin, outcome) => desk.onOutcome(origin, outcome),
    divert: divertAnswer,
    log,
  })
  const send = createIngress({ engine, options, isServed: (type) => directory.find(type) !== undefined })
  const canary = createCanary({ dialect, transport: { send } })
  const desk = createReplyDesk({ dialect, pending, canary, log, strays })
  const sender = createCallSender({ dialect, pending, send, strays })

  return {
    name: 'statefun-endpoint',
    capabilities: dialect.capabilities,
    ...(prepare && { prepare: (entities: readonly EntityDescriptor[]) => prepare(entities, directory) }),
    start: async () => engine.start(),
    invoke: (invocation) => (engine.isOpen ? sender.invoke(invocation) : Promise.resolve(TAKES_NO_CALLS)),
    async health(): Promise<readonly HealthCheck[]> {
      if (!engine.isOpen) return [{ name: 'store', ok: false, detail: 'the runtime is not open' }]
      const reached = await probe.check()
      const checks = [...engine.health(), ...reached]
      return reached.every(({ ok }) => ok) ? [...checks, ...(await canary.check())] : checks
    },
    counters: () => ({ ...desk.counters, ...sender.counters, ...engine.counters(), pending: pending.size }),
    async close() {
      const closed = engine.close()
      // At once: whoever waits may have no longer than this. What functions say until they have ended is late.
      pending.settleAll(STOPPED)
      await closed
      canary.close()
      probe.close()
    },
  }
}

interface IngressOptions {
  readonly engine: Engine
  readonly options: EndpointAdapterOptions
  readonly isServed: (functionType: string) => boolean
}

/** What StateFun's ingress does with a record. */
function createIngress({ engine, options: { ingress }, isServed }: IngressOptions) {
  return (record: KafkaRecord, invocation?: Invocation): Promise<SendResult> => {
    const route = ingress.get(record.topic)
    if (route === undefined) throw new Error(`no function reads the topic ${record.topic}`)
    const origin = invocation?.id
    const { functionType, valueType: typename } = route
    const asked =
      functionType === dispatchRoute.functionType
        ? dispatchedBy(record, origin)
        : {
            kind: 'message' as const,
            message: {
              target: addressOf(functionType, record.key.toString()),
              caller: null,
              argument: { typename, hasValue: true, value: record.value },
              origin,
            },
          }
    if (asked.kind === 'answer') return engine.answer(asked.egress)
    const type = functionTypeOf(asked.message.target)
    if (isServed(type)) return engine.accept(asked.message)
    return Promise.resolve(notSent('unsupported', `No endpoint has the function ${type}.`))
  }
}
