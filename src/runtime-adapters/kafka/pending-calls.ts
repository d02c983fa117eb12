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
  /** The send has worked. Until that is known, or its opposite, nobody can say of a silent call whether it was sent. */
  acknowledge(call: PendingCall): void
  /** The send may not have worked: said at the deadline, should no answer come after all. */
  doubt(call: PendingCall, detail: string): void
  /** Nothing, where it has been settled. */
  settle(call: PendingCall, outcome: Outcome): void
  bygone(id: string): Bygone
  /** The late reply has come: a further one is a duplicate. */
  forget(id: string): void
  settleAll(outcome: Outcome): void
  readonly size: number
  /** Those that wait, and those remembered whose deadline has passed: their answers may still come. */
  readonly unanswered: number
}

/** What `open` gives out. */
interface Waiter extends PendingCall {
  readonly kind: 'waiting'
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
const NOT_DECIDED: Silence = {
  kind: 'unknown',
  cause: 'deadline',
  detail: 'The deadline came before it was known whether the call could be sent.',
}
const NO_ANSWER: Silence = {
  kind: 'unknown',
  cause: 'deadline',
  detail: 'The call was sent, and no answer came before its deadline.',
}

/** Of calls that still wait when the gateway ends. */
export const STOPPED: Outcome = {
  kind: 'unknown',
  cause: 'shutting-down',
  detail: 'The gateway stopped before the answer came.',
}

/** Finished calls that are remembered at least, to tell a late or second reply from another replica's; twice as many at most. */
const REMEMBERED = 10_000

/**
 * A call that ends stays at its place, as what became of it: to take it out and remember it elsewhere costs twice as much. What is remembered is
 * forgotten map by map, since taking the oldest out of one, again and again, costs more than the rest of a call.
 */
class CallMemory {
  #young = new Map<string, Waiter | Bygone>()
  #old = new Map<string, Waiter | Bygone>()
  #remembered = 0
  /** Of what is remembered, calls whose deadline has passed. */
  #silent = 0

  get silent(): number {
    return this.#silent
  }

  get(id: string): Waiter | Bygone | undefined {
    return this.#young.get(id) ?? this.#old.get(id)
  }

  add(id: string, waiter: Waiter): void {
    this.#young.set(id, waiter)
  }

  remember(id: string, how: Bygone): void {
    const home = this.#young.has(id) ? this.#young : this.#old
    home.set(id, how)
    if (how.kind === 'timed-out') this.#silent++
    if (++this.#remembered >= REMEMBERED) this.#age()
  }

  /** The late answer has come. */
  forget(id: string): void {
    if (this.get(id)?.kind === 'timed-out') this.#silent--
    this.remember(id, ANSWERED)
  }

  waiters(): readonly Waiter[] {
    return [...this.#old.values(), ...this.#young.values()].filter((entry) => entry.kind === 'waiting')
  }

  /** What is old is forgotten, what is young is old; who waits is young. */
  #age(): void {
    for (const [id, entry] of this.#old) {
      if (entry.kind === 'waiting') this.#young.set(id, entry)
      else if (entry.kind === 'timed-out') this.#silent--
    }
    this.#old = this.#young
    this.#young = new Map()
    this.#remembered = 0
  }
}

export function createPendingCalls({ maxCalls, maxBytes }: PendingLimits): PendingCalls {
  const memory = new CallMemory()
  let waiting = 0
  let waitingBytes = 0

  function finish(waiter: Waiter, outcome: Outcome, how: Bygone): void {
    if (!waiter.isWaiting) return
    waiter.isWaiting = false
    clearTimeout(waiter.timer)
    waiting--
    waitingBytes -= waiter.bytes
    memory.remember(waiter.invocation.id, how)
    waiter.resolve(outcome)
  }

  function giveUp(waiter: Waiter, outcome: Outcome): void {
    finish(waiter, outcome, { kind: 'timed-out', invocation: withoutArguments(waiter.invocation) })
  }

  function expire(waiter: Waiter): void {
    giveUp(waiter, waiter.silence)
  }

  function open(invocation: Invocation, bytes: number): PendingCall | undefined {
    if (waiting >= maxCalls || waitingBytes + bytes > maxBytes) return undefined
    const { promise: outcome, resolve } = Promise.withResolvers<Outcome>()
    const { id, deadline } = invocation
    const waiter: Waiter = {
      kind: 'waiting',
      invocation,
      outcome,
      bytes,
      resolve,
      timer: undefined,
      isWaiting: true,
      silence: NOT_DECIDED,
    }
    waiter.timer = setTimeout(expire, Math.max(0, deadline - Date.now()), waiter)
    memory.add(id, waiter)
    waiting++
    waitingBytes += bytes
    return waiter
  }

  return {
    open,
    find(id) {
      const entry = memory.get(id)
      return entry?.kind === 'waiting' ? entry : undefined
    },
    acknowledge(call) {
      asWaiter(call).silence = NO_ANSWER
    },
    doubt(call, detail) {
      asWaiter(call).silence = { kind: 'unknown', cause: 'connection-lost', detail }
    },
    settle: (call, outcome) => finish(asWaiter(call), outcome, ANSWERED),
    bygone(id) {
      const entry = memory.get(id)
      return entry === undefined || entry.kind === 'waiting' ? FOREIGN : entry
    },
    forget: (id) => memory.forget(id),
    settleAll(outcome) {
      for (const waiter of memory.waiters()) giveUp(waiter, outcome)
    },
    get size() {
      return waiting
    },
    get unanswered() {
      return waiting + memory.silent
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
