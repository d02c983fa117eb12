import { changesNothing } from '../../routes/target.ts'
import type { Invocation, Invoke, Key, Outcome } from '../../runtime-adapters/contract.ts'
import type { AdaptiveLimit, Ending, LetIn } from './adaptive-limit.ts'
import { addCall, createKeyCounts, type EntityCalls, keyOf, removeCall } from './key-counts.ts'
import { createWaitingRoom, type WaitingRoom } from './waiting-room.ts'

/** Why a call was not let in: as many calls as may be are under way of its entity type, of its entity, or in its runtime. */
export type Shedding = 'entity' | 'key' | 'runtime'

export interface BoundedCallsOptions {
  /** 0: any number. */
  readonly maxPerEntity: number
  readonly maxPerKey: number
  /** `undefined`: nothing is adaptive. */
  readonly adaptiveOf: ((runtimeName: string) => AdaptiveLimit) | undefined
  readonly onShed: (cause: Shedding) => void
}

/** Knows how many calls are under way, through whichever chain they go: it outlives the routes. */
export interface BoundedCalls {
  /** A link of the chain. */
  bound(invoke: Invoke): Invoke
  readonly room: WaitingRoom
}

/** Of a limit, what calls of each kind may fill: when it is short, batches wait first, and reads are refused last. */
const SHARES = { read: 1, write: 0.9, queues: 0.75 } as const
/** Of a runtime's limit, what one entity may fill. */
const KEY_SHARE = 0.25

interface Place {
  readonly entity: EntityCalls
  readonly key: Key | undefined
  readonly limit: AdaptiveLimit | undefined
  readonly letIn: LetIn | undefined
}

export function createBoundedCalls(options: BoundedCallsOptions): BoundedCalls {
  const { maxPerEntity, maxPerKey, adaptiveOf, onShed } = options
  const callsOf = createKeyCounts()
  const room = createWaitingRoom()

  function enter(invocation: Invocation): Place | Shedding {
    const { target, patience } = invocation
    const entity = callsOf(target.entity.name)
    if (maxPerEntity > 0 && entity.all >= maxPerEntity) return 'entity'
    const key = keyOf(invocation)
    // What nobody waits for is the runtime's to queue.
    const limit = patience === 'detached' ? undefined : adaptiveOf?.(target.entity.runtimeName)
    if (key !== undefined && (entity.byKey.get(key) ?? 0) >= boundOfKey(limit)) return 'key'
    const letIn = limit?.enter(target, shareOf(invocation), performance.now())
    if (limit !== undefined && letIn === undefined) return 'runtime'
    addCall(entity, key)
    return { entity, key, limit, letIn }
  }

  function boundOfKey(limit: AdaptiveLimit | undefined): number {
    const most = maxPerKey === 0 ? Number.POSITIVE_INFINITY : maxPerKey
    return limit === undefined ? most : Math.min(most, Math.ceil(limit.limit * KEY_SHARE))
  }

  function leave({ entity, key, limit, letIn }: Place, ending: Ending): void {
    removeCall(entity, key)
    if (letIn !== undefined) limit?.leave(letIn, ending, performance.now())
    room.wake()
  }

  function follow(called: Promise<Outcome>, place: Place): Promise<Outcome> {
    return called.then(
      (outcome) => {
        leave(place, endingOf(outcome))
        return outcome
      },
      (error) => {
        leave(place, 'not-sent')
        throw error
      },
    )
  }

  function refuse(cause: Shedding, invocation: Invocation): Promise<Outcome> {
    onShed(cause)
    return Promise.resolve(refusalOf(cause, invocation))
  }

  return {
    room,
    bound(invoke) {
      const tryCall = (invocation: Invocation): Promise<Outcome> | undefined => {
        const place = enter(invocation)
        if (typeof place !== 'string') return follow(invoke(invocation), place)
        // It would hold up the calls of all other keys behind it.
        return place === 'key' ? refuse(place, invocation) : undefined
      }
      // Not an async function: its frame would be kept for as long as the call waits.
      return (invocation) => {
        const place = enter(invocation)
        if (typeof place !== 'string') return follow(invoke(invocation), place)
        if (invocation.patience === 'queues' && place !== 'key') return room.wait(invocation, tryCall)
        return refuse(place, invocation)
      }
    },
  }
}

function shareOf({ target, patience }: Invocation): number {
  if (patience === 'queues') return SHARES.queues
  return changesNothing(target) ? SHARES.read : SHARES.write
}

function endingOf({ kind }: Outcome): Ending {
  switch (kind) {
    case 'returned':
    case 'created':
      return 'done'
    case 'rejected':
    case 'raised':
    case 'malformed':
      return 'refused'
    case 'unknown':
      return 'silent'
    case 'not-sent':
      return 'not-sent'
  }
}

function refusalOf(cause: Shedding, { target }: Invocation): Outcome {
  const what: Readonly<Record<Shedding, string>> = {
    entity: `As many calls of ${target.entity.name} as may be are under way.`,
    key: `As many calls of this ${target.entity.name} as may be are under way.`,
    runtime: 'The runtime has as many calls as it answers quickly.',
  }
  return { kind: 'not-sent', cause: 'overloaded', detail: `${what[cause]} This one was not sent.` }
}
