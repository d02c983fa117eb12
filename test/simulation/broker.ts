import type {
  KafkaRecord,
  KafkaTransport,
  ReceivedRecord,
  SendResult,
  TransportSubscription,
} from '../../src/runtime-adapters/kafka/transport.ts'
import { idOf, type Reply, type ReplyKind, replyBytes } from './entity.ts'
import type { Random } from './random.ts'
import type { VirtualTime } from './virtual-time.ts'

/** How bad a schedule's broker and runtime are: probabilities, and milliseconds at most. */
export interface Trouble {
  readonly refusedSends: number
  readonly doubtfulSends: number
  readonly lostExecutions: number
  readonly oddReplies: number
  readonly doubledReplies: number
  readonly slowSendMs: number
  readonly slowExecutionMs: number
  readonly slowReadMs: number
  /** The runtime executes nothing between these two times, counted from the start. */
  readonly stall: readonly [number, number]
}

/** What surely happened, whatever the gateway says of it. */
export interface Truth {
  /** How often a call's record is in the log, by invocation id. */
  readonly logged: ReadonlyMap<string, number>
  /** When a call's record came into the log, by invocation id. */
  readonly loggedAt: ReadonlyMap<string, number>
  /** What the runtime answered, by invocation id. */
  readonly replies: ReadonlyMap<string, Reply>
  /** When a replica was given a reply, by invocation id; the replica may have died since. */
  readonly delivered: ReadonlyMap<string, readonly { readonly replica: string; readonly at: number }[]>
}

export interface SimulatedBroker {
  readonly truth: Truth
  transportOf(replica: string): KafkaTransport
  /** What is on its way to or from it is lost, or not. */
  cut(replica: string): void
}

/** Milliseconds that a client waits for an acknowledgement. */
const SEND_TIMEOUT_MS = 1_500

export interface BrokerOptions {
  readonly random: Random
  readonly time: VirtualTime
  readonly trouble: Trouble
}

/** Kafka and the runtime behind it: delays, drops, reorders and doubles what it may, and remembers what happened. */
export function createSimulatedBroker({ random, time, trouble }: BrokerOptions): SimulatedBroker {
  const readers = new Map<string, TransportSubscription['onRecord']>()
  const logged = new Map<string, number>()
  const loggedAt = new Map<string, number>()
  const replies = new Map<string, Reply>()
  const delivered = new Map<string, { readonly replica: string; readonly at: number }[]>()
  const startedAt = time.now()
  let executions = 0
  let offset = 0n

  function append(id: string): void {
    logged.set(id, (logged.get(id) ?? 0) + 1)
    loggedAt.set(id, time.now())
    if (random.chance(trouble.lostExecutions)) return
    const [stallsAt, goesOnAt] = trouble.stall
    const elapsed = time.now() - startedAt
    const stalledMs = elapsed >= stallsAt && elapsed < goesOnAt ? goesOnAt - elapsed : 0
    time.at(stalledMs + random.integer(0, trouble.slowExecutionMs), () => execute(id))
  }

  function execute(id: string): void {
    const kind = random.chance(trouble.oddReplies) ? random.pick<ReplyKind>(['mistyped', 'junk', 'raised']) : 'value'
    const reply: Reply = { id, kind, number: ++executions }
    replies.set(id, reply)
    publish(reply)
    if (random.chance(trouble.doubledReplies)) time.at(random.integer(0, 1_000), () => publish(reply))
  }

  /** Each replica reads at its own pace, and of several partitions in any order. */
  function publish(reply: Reply): void {
    const record: ReceivedRecord = {
      ...{ topic: 'replies', partition: 0, offset: offset++ },
      ...{ key: Buffer.alloc(0), value: replyBytes(reply) },
    }
    for (const replica of readers.keys()) {
      time.at(random.integer(0, trouble.slowReadMs), () => {
        const read = readers.get(replica)
        if (read === undefined) return
        const all = delivered.get(reply.id) ?? []
        delivered.set(reply.id, [...all, { replica, at: time.now() }])
        read(record)
      })
    }
  }

  async function send(replica: string, record: KafkaRecord): Promise<SendResult> {
    const id = idOf(record.value)
    const fate = random.fraction()
    await time.pass(random.integer(0, trouble.slowSendMs))
    if (!readers.has(replica) && random.chance(0.5))
      return { kind: 'not-sent', cause: 'broker-unavailable', detail: '' }
    if (fate < trouble.refusedSends) return { kind: 'not-sent', cause: 'broker-unavailable', detail: 'No broker.' }
    if (fate < trouble.refusedSends + trouble.doubtfulSends) {
      if (random.chance(0.5)) time.at(random.integer(0, 200), () => append(id))
      await time.pass(random.integer(0, SEND_TIMEOUT_MS))
      return { kind: 'unknown', detail: 'Cut off.' }
    }
    append(id)
    // The reply may overtake the acknowledgement.
    await time.pass(random.integer(0, trouble.slowSendMs))
    return { kind: 'acknowledged' }
  }

  return {
    truth: { logged, loggedAt, replies, delivered },
    transportOf: (replica) => ({
      name: 'simulated',
      async start({ onRecord }) {
        readers.set(replica, onRecord)
      },
      send: (record) => send(replica, record),
      health: async () => ({ ok: true, detail: '' }),
      async close() {
        readers.delete(replica)
      },
    }),
    cut: (replica) => readers.delete(replica),
  }
}
