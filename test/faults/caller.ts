import { setTimeout as delay } from 'node:timers/promises'
import { type Exchange, exchange, problemMember } from './exchange.ts'
import type { Work } from './work.ts'

/** The kinds of calls that the load is mixed from. */
export type CallKind =
  /** The caller waits. Never sent twice once a replica took it. */
  | 'plain'
  /** `Prefer: respond-async`. */
  | 'async'
  /** With an idempotency key; sent again, to other replicas, until there is an answer. */
  | 'keyed'
  /** Both. */
  | 'keyed-async'
  /** With an idempotency key, sent to two replicas at once. */
  | 'twins'

export interface Attempt {
  readonly replica: string
  readonly startedAt: number
  readonly tookMs: number
  readonly exchange: Exchange
}

/** One logical call, with everything that its caller saw. */
export interface Call {
  readonly name: string
  readonly index: number
  readonly kind: CallKind
  readonly attempts: Attempt[]
  /** What a collection of its answer at its `Location` came to. */
  collected: Exchange | undefined
}

/** Milliseconds that the gateways give a call. */
export const DEADLINE_MS = 3_000
/** Milliseconds beyond the deadline after which a call without an answer is hanging. */
const HANGING_AFTER_MS = 5_000
/** Milliseconds after which a caller with a key stops sending his call again; in the shorter form, too. */
const PERSISTENCE_MS = 12_000
const QUICK_PERSISTENCE_MS = 6_000
/** The same, once everything works again. */
const SETTLE_MS = 3_000
const PAUSE_MS = 250
/** Attempts at finding a replica that listens at all. */
const MAX_REFUSALS = 20

export interface Callers {
  /** Never rejects. Resolves when the caller has an answer or has given up. */
  run(call: Call): Promise<void>
  /** One attempt more for a call with a key that has no answer yet, now that everything works again. */
  settle(call: Call): Promise<void>
}

export interface CallersOptions {
  /** Where the replicas are; one that is down keeps its address. */
  readonly urls: readonly string[]
  readonly work: Work
  /** Its failures say nothing of what happened, so a caller with a key tries again after each. */
  readonly isPeer: boolean
  readonly isQuick: boolean
}

export function createCallers({ urls, work, isPeer, isQuick }: CallersOptions): Callers {
  const usualPersistenceMs = isQuick ? QUICK_PERSISTENCE_MS : PERSISTENCE_MS
  const urlAt = (index: number): string => urls[index % urls.length] ?? ''

  async function attempt(call: Call, replica: string): Promise<Exchange> {
    const headers: Record<string, string> = {}
    if (call.kind === 'async' || call.kind === 'keyed-async') headers.prefer = 'respond-async'
    if (isKeyed(call.kind)) headers['idempotency-key'] = call.name
    const startedAt = Date.now()
    const answer = await exchange({
      method: 'POST',
      url: `${replica}${work.pathOf(call)}`,
      headers,
      body: work.bodyOf(call),
      limitMs: DEADLINE_MS + HANGING_AFTER_MS,
    })
    call.attempts.push({ replica, startedAt, tookMs: Date.now() - startedAt, exchange: answer })
    return answer
  }

  /** A refused connection took nothing, so the next replica may be asked, whatever the kind. */
  async function runOnce(call: Call): Promise<void> {
    for (let turn = 0; turn < MAX_REFUSALS; turn++) {
      if ((await attempt(call, urlAt(call.index + turn))).kind !== 'refused') return
      if (turn % urls.length === urls.length - 1) await delay(PAUSE_MS)
    }
  }

  async function runKeyed(call: Call, first: number, persistenceMs = usualPersistenceMs): Promise<void> {
    const giveUpAt = Date.now() + persistenceMs
    for (let turn = 0; Date.now() < giveUpAt; turn++) {
      if (!isWorthRepeating(await attempt(call, urlAt(first + turn)), isPeer)) return
      await delay(PAUSE_MS)
    }
  }

  return {
    async run(call) {
      if (!isKeyed(call.kind)) await runOnce(call)
      else if (call.kind === 'twins') await Promise.all([runKeyed(call, call.index), runKeyed(call, call.index + 1)])
      else await runKeyed(call, call.index)
    },
    async settle(call) {
      await runKeyed(call, call.index, SETTLE_MS)
    },
  }
}

export function isKeyed(kind: CallKind): boolean {
  return kind === 'keyed' || kind === 'keyed-async' || kind === 'twins'
}

/** As the gateway's problems advise a caller who has a key. */
function isWorthRepeating(answer: Exchange, isPeer: boolean): boolean {
  if (answer.kind !== 'answer') return true
  if (answer.status < 400 || answer.replayed) return false
  if (isPeer) return answer.status >= 500
  return ['same_key', 'safe', 'after'].includes(problemMember(answer.body, 'retry') ?? '')
}
