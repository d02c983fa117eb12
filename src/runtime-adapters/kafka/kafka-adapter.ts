import type { HealthCheck, Log, RecordWatch, RuntimeAdapter, StrayReplies } from '../contract.ts'
import { createCallSender } from './call-sender.ts'
import { createCanary } from './canary.ts'
import type { KafkaDialect } from './dialect.ts'
import { TAKES_NO_CALLS } from './not-sent.ts'
import { createPendingCalls, type PendingLimits, STOPPED } from './pending-calls.ts'
import { createReplyDesk } from './reply-desk.ts'
import type { ReplySteering } from './reply-steering.ts'
import type { KafkaTransport } from './transport.ts'

export interface KafkaAdapterOptions {
  readonly dialect: KafkaDialect
  readonly transport: KafkaTransport
  readonly limits: PendingLimits
  readonly log: Log
  readonly strays?: StrayReplies | undefined
  /** `undefined`: every replica reads all replies. */
  readonly steering?: ReplySteering | undefined
  /** `undefined`: nobody looks on. */
  readonly watch?: RecordWatch | undefined
  /** See `RuntimeAdapter`; the dialect then serves old and new entities. */
  readonly prepare?: RuntimeAdapter['prepare']
}

/** Any Kafka runtime: request-reply over a transport, in a dialect. */
export function createKafkaAdapter(options: KafkaAdapterOptions): RuntimeAdapter {
  const { dialect, transport, limits, log, strays, steering, watch } = options
  const pending = createPendingCalls(limits)
  const canary = createCanary({ dialect, transport, steering })
  const desk = createReplyDesk({ dialect, pending, canary, log, strays, steering, watch })
  const sender = createCallSender({ dialect, pending, send: (record) => transport.send(record), strays, watch })
  let state: 'new' | 'open' | 'closed' = 'new'

  return {
    name: dialect.name,
    capabilities: dialect.capabilities,
    async start() {
      const { requests: requestTopics, replies: replyTopics } = dialect.topics
      await transport.start({ requestTopics, replyTopics, onRecord: desk.onRecord })
      // Closed meanwhile: it stays closed.
      if (state !== 'new') return
      steering?.start()
      state = 'open'
    },
    invoke: (invocation) => (state === 'open' ? sender.invoke(invocation) : Promise.resolve(TAKES_NO_CALLS)),
    ...(options.prepare && { prepare: options.prepare }),
    suits: (id) => steering?.suits(id) ?? true,
    async health(): Promise<readonly HealthCheck[]> {
      const broker = { name: 'kafka', ...(await transport.health()) }
      const replies = steering === undefined ? [] : [steering.health()]
      return broker.ok ? [broker, ...(await canary.check()), ...replies] : [broker]
    },
    counters: () => ({ ...desk.counters, ...sender.counters, ...steering?.counters, pending: pending.size }),
    unanswered: () => pending.unanswered,
    async close() {
      state = 'closed'
      pending.settleAll(STOPPED)
      canary.close()
      steering?.close()
      await transport.close()
    },
  }
}
