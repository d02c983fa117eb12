import { setTimeout as delay } from 'node:timers/promises'
import { type Call, type Callers, isKeyed } from './caller.ts'
import { type Exchange, exchange } from './exchange.ts'

export interface CollectOptions {
  readonly callers: Callers
  /** Replicas that are asked in turn; with a store of its own each, only the one that took the call knows of it. */
  readonly urls: readonly string[]
  readonly isShared: boolean
  /** Milliseconds that may pass until the last answer is there. */
  readonly limitMs: number
}

const AT_ONCE = 24
const PAUSE_MS = 400
/** Milliseconds for one question. */
const QUESTION_LIMIT_MS = 8_000

/** After the fault: every call that was given a `Location` and no answer is asked for there, on any replica. */
export async function collectAnswers(calls: readonly Call[], options: CollectOptions): Promise<void> {
  const giveUpAt = Date.now() + options.limitMs
  const open = calls.filter((call) => answerOf(call) === undefined)
  await inParallel(open, async (call) => {
    // A caller with a key has a second way to his answer, and may never have seen a Location.
    if (isKeyed(call.kind) && locationOf(call) === undefined) await options.callers.settle(call)
    if (answerOf(call) === undefined) await collect(call, options, giveUpAt)
  })
}

async function collect(call: Call, { urls, isShared }: CollectOptions, giveUpAt: number): Promise<void> {
  const found = locationOf(call)
  if (found === undefined) return
  for (let turn = 0; ; turn++) {
    const url = isShared ? (urls[(call.index + turn) % urls.length] ?? '') : found.replica
    const answer = await exchange({ method: 'GET', url: `${url}${found.location}/result`, limitMs: QUESTION_LIMIT_MS })
    call.collected = answer
    if (isFinal(answer) || Date.now() > giveUpAt) return
    await delay(PAUSE_MS)
  }
}

function isFinal(answer: Exchange): boolean {
  return answer.kind === 'answer' && answer.status !== 202 && answer.status !== 503
}

/** A success that came on the connection of the call itself. */
export function answerOf({ attempts }: Call): Exchange | undefined {
  return attempts.map((attempt) => attempt.exchange).findLast(isSuccess)
}

export function isSuccess(answer: Exchange): answer is Extract<Exchange, { kind: 'answer' }> {
  return answer.kind === 'answer' && (answer.status === 200 || answer.status === 201)
}

function locationOf({ attempts }: Call): { readonly location: string; readonly replica: string } | undefined {
  for (const { exchange: answer, replica } of attempts.toReversed()) {
    if (answer.kind === 'answer' && answer.location !== undefined) return { location: answer.location, replica }
  }
  return undefined
}

export function hasLocation(call: Call): boolean {
  return locationOf(call) !== undefined
}

async function inParallel(calls: readonly Call[], work: (call: Call) => Promise<void>): Promise<void> {
  const queue = calls.values()
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (const call of queue) await work(call)
  })
  await Promise.all(workers)
}
