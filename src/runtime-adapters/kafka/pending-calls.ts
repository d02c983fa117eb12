import type { Invocation, Outcome } from '../contract.ts'

export interface PendingLimits {
  /** Calls that may wait at once. */
  readonly maxCalls: number
  /** Bytes of encoded requests that may wait at once. */
  readonly maxBytes: number
}

/** A call that waits for its answer. */
export interface PendingCall {
  readonly invocation: Invocation
  /** Settles exactly once, at the latest at the invocation's deadline. */
  readonly outcome: Promise<Outcome>
  readonly isWaiting: boolean
}

/** What is known of an id that nobody waits for. */
export type Bygone =
  | { readonly kind: 'answered' | 'foreign' }
  | { readonly kind: 'timed-out'; readonly invocation: Invocation }

/** The waiters by invocation id. Bounded in number and bytes; what it remembers of finished calls is bounded too. */
export interface PendingCalls {
  /** `undefined`: a limit is reached. */
  open(invocation: Invocation, bytes: number): PendingCall | undefined
  find(id: string): PendingCall | undefined
  /** The send may not have worked: said at the deadline, should no answer come after all. */
  doubt(call: PendingCall, detail: string): void
  /** Nothing, where it has been settled. */
  settle(call: PendingCall, outcome: Outcome): void
  bygone(id: string): Bygone
  /** The late reply has come: a further one is a duplicate. */
  forget(id: string): void
  settleAll(outcome: Outcome): void
  readonly size: number
}

/** What `open` gives out. */
interface Waiter extends PendingCall {
  readonly bytes: number
  readonly resolve: (outcome: Outcome) => void
  timer: NodeJS.Timeout | undefined
  isWaiting: boolean
  silence: Silence
}

/** What is said at the deadline. */
type Silence = Extract<Outcome, { kind: 'unknown' }>

const ANSWERED: Bygone = { kind: 'answered' }
const FOREIGN: Bygone = { kind: 'foreign' }
const NO_ANSWER: Silence = {
  kind: 'unknown',
  cause: 'deadline',
  detail: 'The call was sent, and no answer came before its deadline.',
}

/**
 * Finished calls that are remembered at least, to tell a late or second reply from another replica's; twice as many at most.
 * Two generations: taking the oldest out of one map, again and again, costs ten times the rest of a call.
 */
const REMEMBERED = 10_000

export function createPendingCalls({ maxCalls, maxBytes }: PendingLimits): PendingCalls {
  const waiters = new Map<string, Waiter>()
  let finished = new Map<string, Bygone>()
  let finishedBefore = new Map<string, Bygone>()
  let waitingBytes = 0

  function remember(id: string, how: Bygone): void {
    if (finished.size >= REMEMBERED) {
      finishedBefore = finished
      finished = new Map()
    }
    finished.set(id, how)
  }

  function finish(waiter: Waiter, outcome: Outcome, how: Bygone): void {
    if (!waiter.isWaiting) return
    waiter.isWaiting = false
    clearTimeout(waiter.timer)
    const { id } = waiter.invocation
    waiters.delete(id)
    waitingBytes -= waiter.bytes
    remember(id, how)
    waiter.resolve(outcome)
  }

  function giveUp(waiter: Waiter, outcome: Outcome): void {
    finish(waiter, outcome, { kind: 'timed-out', invocation: withoutArguments(waiter.invocation) })
  }

  function expire(waiter: Waiter): void {
    giveUp(waiter, waiter.silence)
  }

  function open(invocation: Invocation, bytes: number): PendingCall | undefined {
    if (waiters.size >= maxCalls || waitingBytes + bytes > maxBytes) return undefined
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
    const { id, deadline } = invocation
    const waiter: Waiter = {
      invocation,
      outcome,
      bytes,
      resolve,
      timer: undefined,
      isWaiting: true,
      silence: NO_ANSWER,
    }
    waiter.timer = setTimeout(expire, Math.max(0, deadline - Date.now()), waiter)
    waiters.set(id, waiter)
    waitingBytes += bytes
    return waiter
  }

  return {
    open,
    find: (id) => waiters.get(id),
    doubt(call, detail) {
      asWaiter(call).silence = { kind: 'unknown', cause: 'connection-lost', detail }
    },
    settle: (call, outcome) => finish(asWaiter(call), outcome, ANSWERED),
    bygone: (id) => finished.get(id) ?? finishedBefore.get(id) ?? FOREIGN,
    forget: (id) => remember(id, ANSWERED),
    settleAll(outcome) {
      for (const waiter of [...waiters.values()]) giveUp(waiter, outcome)
    },
    get size() {
      return waiters.size
    },
  }
}

/** Only `open` makes calls that wait. */
function asWaiter(call: PendingCall): Waiter {
  return call as Waiter
}

/** What is needed to read a late reply: what is remembered must not be as large as what callers sent. */
function withoutArguments({ id, target, deadline, context }: Invocation): Invocation {
  const asked = target.kind === 'write-attribute' ? { ...target, value: undefined } : target
  return { id, target: asked, args: {}, deadline, context }
}
