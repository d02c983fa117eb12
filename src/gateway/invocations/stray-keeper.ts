import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { checkedOutcome } from '../../routes/checked-answers.ts'
import { answerOf } from '../../routes/invocation-answer.ts'
import type { InvocationRecord, InvocationStore } from '../../routes/invocation-store.ts'
import type { Invocation, Log, Outcome, ReplicaShare, StrayReplies } from '../../runtime-adapters/contract.ts'
import { createForeignReplies, type ForeignReply } from './foreign-replies.ts'
import { createKnownEntities, type KnownEntities } from './known-entities.ts'
import { createRollCall } from './roll-call.ts'

/** Digits at the end of an invocation's id that name the replica that sent it. */
export const REPLICA_DIGITS = 6

/** Milliseconds between two signs of life. */
const BEAT_MS = 1_000
/** Foreign replies that are remembered for the case that their replica has just died. */
const REMEMBERED = { maxReplies: 20_000, maxBytes: 33_554_432, maxAgeMs: 300_000 } as const

export interface StrayKeeper extends StrayReplies {
  /** They are known after the adapters that report to this keeper are made. */
  start(entities: readonly EntityDescriptor[]): Promise<void>
  /** The entities from now on. Answers to calls of earlier ones are still read. */
  know(entities: readonly EntityDescriptor[]): void
  /** This replica reads its share of the replies from now on, so that others need not. */
  hold(share: ReplicaShare): Promise<void>
  counters(): Readonly<Record<string, number>>
  close(): Promise<void>
}

export interface StrayKeeperOptions {
  readonly store: InvocationStore
  /** This replica's `REPLICA_DIGITS` hexadecimal digits. */
  readonly replica: string
  readonly log: Log
  readonly kin?: Kin | undefined
}

/** With a store that only some replicas share. */
export interface Kin {
  /** Whether the records of this replica are, or were, in the store. */
  has(replica: string): boolean
  /** Shares of replicas that the store does not know. */
  readonly heldElsewhere: readonly ReplicaShare[]
}

/**
 * Keeps the answers that nobody in this process waits for: late ones of its own calls, and those of replicas that are no
 * more. A living replica takes its own; of a dead one's, each living replica tries, and the first to finish the record wins.
 */
export function createStrayKeeper({ store, replica, log, kin }: StrayKeeperOptions): StrayKeeper {
  const counters = { kept: 0, adopted: 0, lost: 0 }
  const foreign = createForeignReplies(REMEMBERED)
  let living: ReadonlySet<string> = new Set([replica])
  const roll = createRollCall(replica)
  const known = createKnownEntities()
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  async function finish(invocation: Invocation, outcome: Outcome, how: 'kept' | 'adopted'): Promise<void> {
    try {
      if (await store.finish(invocation.id, answerOf(checkedOutcome(outcome, invocation), invocation))) counters[how]++
    } catch (error) {
      counters.lost++
      log.warn({ err: error, invocationId: invocation.id }, 'an answer could not be kept: the store is away')
    }
  }

  async function adopt(reply: ForeignReply): Promise<void> {
    const { id, read, misses } = reply
    try {
      const record = await store.read(id)
      // The call's record is opened when its deadline passes; it may not have passed yet.
      if (record === undefined) foreign.keep({ ...reply, misses: misses + 1 })
      else if (record !== 'gone' && record.state !== 'finished') {
        const invocation = invocationOf(record, known)
        const outcome = invocation && read(invocation)
        if (invocation !== undefined && outcome !== undefined) void finish(invocation, outcome, 'adopted')
      }
    } catch {
      foreign.keep(reply)
    }
  }

  /** Of our own calls, those come here that were answered too long ago to be remembered. */
  function isOrphan(sender: string): boolean {
    return sender === replica || !living.has(sender)
  }

  function holders(): readonly ReplicaShare[] | undefined {
    if (kin !== undefined) return [...roll.holders(), ...kin.heldElsewhere]
    return store.isShared ? roll.holders() : undefined
  }

  async function beat(): Promise<void> {
    const before = living
    try {
      living = roll.seen(await store.beat(roll.name))
    } catch {
      // Nobody is taken for dead while nobody can be seen to live.
      return
    }
    const died = [...before].filter((one) => !living.has(one))
    if (died.length > 0) log.warn({ replicas: died }, 'replicas have gone; their replies are taken over')
    for (const reply of foreign.takeDue((id) => isOrphan(replicaOf(id)))) await adopt(reply)
  }

  return {
    late(invocation, outcome) {
      void finish(invocation, outcome, 'kept')
    },
    foreign(id, read, bytes) {
      const sender = replicaOf(id)
      // A memory holds no records of replicas elsewhere.
      if (sender !== replica && !(kin?.has(sender) ?? store.isShared)) return
      const reply = { id, read, bytes, arrivedAt: performance.now(), misses: 0 }
      if (isOrphan(sender)) void adopt(reply)
      else foreign.keep(reply)
    },
    async start(entities) {
      known.add(entities)
      await beat()
      // A replica that stopped meanwhile must not seem to live.
      if (!isClosed) timer = setInterval(() => void beat(), BEAT_MS).unref()
    },
    know: (entities) => known.add(entities),
    holders,
    async hold(share) {
      const { name: before } = roll
      roll.take(share)
      await beat()
      await store.leave(before).catch(() => undefined)
    },
    counters: () => ({ ...counters }),
    async close() {
      isClosed = true
      clearInterval(timer)
      await store.leave(roll.name).catch(() => undefined)
    },
  }
}

function replicaOf(id: string): string {
  return id.slice(-REPLICA_DIGITS)
}

/** What is needed to read a reply; the arguments are not, so they are not kept. */
function invocationOf({ id, asked, expiresAt }: InvocationRecord, known: KnownEntities): Invocation | undefined {
  const target = known.targetOf(asked)
  return target === undefined ? undefined : { id, target, args: {}, deadline: expiresAt, context: {} }
}
