import type {
  HealthCheck,
  Invocation,
  Invoke,
  Log,
  NotSentCause,
  Outcome,
  RuntimeAdapter,
  StrayReplies,
} from '../contract.ts'
import { createCanary } from './canary.ts'
import type { KafkaDialect } from './dialect.ts'
import { createPendingCalls, type PendingCall, type PendingCalls, type PendingLimits } from './pending-calls.ts'
import { createReplyDesk } from './reply-desk.ts'
import type { KafkaTransport, SendResult } from './transport.ts'

export interface KafkaAdapterOptions {
  readonly dialect: KafkaDialect
  readonly transport: KafkaTransport
  readonly limits: PendingLimits
  readonly log: Log
  readonly strays?: StrayReplies | undefined
}

/** Any Kafka runtime: request-reply over a transport, in a dialect. */
export function createKafkaAdapter({ dialect, transport, limits, log, strays }: KafkaAdapterOptions): RuntimeAdapter {
  const pending = createPendingCalls(limits)
  const canary = createCanary(dialect, transport)
  const desk = createReplyDesk({ dialect, pending, canary, log, strays })
  const sender = createSender(dialect, transport, pending)
  let state: 'new' | 'open' | 'closed' = 'new'

  return {
    name: dialect.name,
    capabilities: dialect.capabilities,
    async start() {
      const { requests: requestTopics, replies: replyTopics } = dialect.topics
      await transport.start({ requestTopics, replyTopics, onRecord: desk.onRecord })
      // Closed meanwhile: it stays closed.
      if (state === 'new') state = 'open'
    },
    invoke: (invocation) =>
      state === 'open'
        ? sender.invoke(invocation)
        : Promise.resolve(notSent('shutting-down', 'This replica takes no calls.')),
    async health(): Promise<readonly HealthCheck[]> {
      const broker = { name: 'kafka', ...(await transport.health()) }
      return broker.ok ? [broker, ...(await canary.check())] : [broker]
    },
    counters: () => ({ ...desk.counters, ...sender.counters, pending: pending.size }),
    async close() {
      state = 'closed'
      pending.settleAll({
        kind: 'unknown',
        cause: 'shutting-down',
        detail: 'The gateway stopped before the answer came.',
      })
      canary.close()
      await transport.close()
    },
  }
}

interface Sender {
  readonly invoke: Invoke
  readonly counters: Readonly<Record<'overloaded' | 'notSent' | 'sendUnknown', number>>
}

/** Hops 4 and 5: the waiter first, then the send. */
function createSender(dialect: KafkaDialect, transport: KafkaTransport, pending: PendingCalls): Sender {
  const counters = { overloaded: 0, notSent: 0, sendUnknown: 0 }

  function note(id: string, result: SendResult): void {
    switch (result.kind) {
      case 'acknowledged':
        pending.find(id)?.invocation.onAccepted?.()
        return
      case 'not-sent':
        counters.notSent++
        pending.settle(id, notSent(result.cause, result.detail))
        return
      case 'unknown':
        // The record may be in the log, so its answer may still come: the waiter stays until the deadline.
        counters.sendUnknown++
        pending.doubt(id, result.detail)
    }
  }

  function begin(invocation: Invocation): PendingCall | Outcome {
    if (invocation.deadline <= Date.now()) {
      return notSent('overloaded', 'The deadline passed before the call could be sent.')
    }
    const record = dialect.encode(invocation)
    if ('kind' in record) return record
    if (record.key.length === 0 || record.value.length === 0) {
      throw new Error(`the ${dialect.name} dialect made a record without a key or a value`)
    }
    const call = pending.open(invocation, record.value.length)
    if (call === undefined) {
      counters.overloaded++
      return notSent('overloaded', `${pending.size} calls wait for their answers already.`)
    }
    void transport.send(record).then((result) => note(invocation.id, result))
    return call
  }

  return {
    counters,
    // Not an async function: its frame and promise would be kept for as long as the call waits.
    invoke(invocation) {
      try {
        const begun = begin(invocation)
        return 'outcome' in begun ? begun.outcome : Promise.resolve(begun)
      } catch (error) {
        return Promise.reject(error)
      }
    },
  }
}

function notSent(cause: NotSentCause, detail: string): Outcome {
  return { kind: 'not-sent', cause, detail }
}
