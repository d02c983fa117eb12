import { setTimeout as delay } from 'node:timers/promises'
import { type Call, type Callers, isKeyed } from './caller.ts'
import { type Exchange, exchange, problemMember } from './exchange.ts'
import { inParallel } from './in-parallel.ts'

export interface CollectOptions {
  readonly callers: Callers
  /** Replicas that are asked in turn. */
  readonly urls: readonly string[]
  /** Whether the runtime has replied to a call, so that its answer must be there. */
  readonly isDue: (call: Call) => boolean
  readonly isQuick: boolean
}

/** Milliseconds that may pass until the last answer that is due is there; the others are looked for a little while. */
const DUE_LIMIT_MS = 20_000
const OTHERS_LIMIT_MS = 4_000
const QUICK_OTHERS_LIMIT_MS = 1_500
const AT_ONCE = 48
const PAUSE_MS = 400
/** Milliseconds for one question. */
const QUESTION_LIMIT_MS = 8_000

/** After the fault: every call that was given a `Location` and no answer is asked for there, on any replica. */
export async function collectAnswers(calls: readonly Call[], options: CollectOptions): Promise<void> {
  const begun = Date.now()
  const othersLimitMs = options.isQuick ? QUICK_OTHERS_LIMIT_MS : OTHERS_LIMIT_MS
  const open = calls.filter((call) => answerOf(call) === undefined)
  await inParallel(open, AT_ONCE, async (call) => {
    // A caller with a key has a second way to his answer, and may never have seen a Location.
    if (isKeyed(call.kind) && locationOf(call) === undefined) await options.callers.settle(call)
    if (answerOf(call) === undefined)
      await collect(call, options, begun + (options.isDue(call) ? DUE_LIMIT_MS : othersLimitMs))
  })
}

async function collect(call: Call, { urls }: CollectOptions, giveUpAt: number): Promise<void> {
  const location = locationOf(call)
  if (location === undefined) return
  for (let turn = 0; ; turn++) {
    const url = urls[(call.index + turn) % urls.length] ?? ''
    const answer = await exchange({ method: 'GET', url: `${url}${location}/result`, limitMs: QUESTION_LIMIT_MS })
    call.collected = answer
    if (isFinal(answer) || Date.now() > giveUpAt) return
    await delay(PAUSE_MS)
  }
}

function isFinal(answer: Exchange): boolean {
  if (answer.kind !== 'answer' || answer.status === 202) return false
  // Of the store, not of the call.
  return problemMember(answer.body, 'code') !== 'store_unavailable'
}

/** A success that came on the connection of the call itself. */
export function answerOf({ attempts }: Call): Exchange | undefined {
  return attempts.map((attempt) => attempt.exchange).findLast(isSuccess)
}

export function isSuccess(answer: Exchange): answer is Extract<Exchange, { kind: 'answer' }> {
  return answer.kind === 'answer' && [200, 201, 204].includes(answer.status)
}

function locationOf({ attempts }: Call): string | undefined {
  return attempts
    .map(({ exchange: answer }) => (answer.kind === 'answer' ? answer.location : undefined))
    .findLast((location) => location !== undefined)
}

export function hasLocation(call: Call): boolean {
  return locationOf(call) !== undefined
}
