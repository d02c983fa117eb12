import { type Call, isKeyed } from './caller.ts'
import { hasLocation, isSuccess } from './collect.ts'
import { type Exchange, problemMember } from './exchange.ts'
import type { Execution } from './work.ts'

export const verdicts = [
  'answered',
  'collected',
  'not-sent',
  'unknown',
  'lost',
  'wrong',
  'hanging',
  'executed-twice',
] as const
export type Verdict = (typeof verdicts)[number]

/** None of these may ever be given. */
export const violations: readonly Verdict[] = ['lost', 'wrong', 'hanging', 'executed-twice']

export interface Judgement {
  readonly verdict: Verdict
  /** Why, for a violation. */
  readonly why: string
}

/**
 * Exactly one verdict a call; the first that fits, worst first.
 * @param executions every execution of this call, as the runtime wrote it down
 */
export function judge(call: Call, executions: readonly Execution[], isPeer: boolean): Judgement {
  const exchanges = call.attempts.map((attempt) => attempt.exchange)
  const wrong = findLie(call, exchanges, executions) ?? (isPeer ? undefined : findStranger(call))
  if (exchanges.some(({ kind }) => kind === 'hanging') || call.collected?.kind === 'hanging') {
    return { verdict: 'hanging', why: 'no answer came in time' }
  }
  if (executions.length > 1 && isKeyed(call.kind)) {
    return { verdict: 'executed-twice', why: `executed ${executions.length} times` }
  }
  if (wrong !== undefined) return { verdict: 'wrong', why: wrong }
  if (exchanges.some(isSuccess)) return ok('answered')
  if (call.collected !== undefined && isSuccess(call.collected)) return ok('collected')
  if (hasLocation(call) && executions.some(({ replied }) => replied)) {
    return { verdict: 'lost', why: `the runtime replied, and its Location says ${describe(call.collected)}` }
  }
  return ok(exchanges.every(isUnsent) || isRefused(call.collected) ? 'not-sent' : 'unknown')
}

const ok = (verdict: Verdict): Judgement => ({ verdict, why: '' })

/** Anything that was said to the caller and is not so. */
function findLie(call: Call, exchanges: readonly Exchange[], executions: readonly Execution[]): string | undefined {
  if (executions.length > 1 && !isKeyed(call.kind)) return `sent once, executed ${executions.length} times`
  for (const answer of [...exchanges, ...(call.collected === undefined ? [] : [call.collected])]) {
    if (answer.kind !== 'answer') continue
    if (isSuccess(answer) && !executions.some(({ value }) => value === answer.body)) {
      const truth = executions.map(({ value }) => value).join(', ')
      return `the answer was ${JSON.stringify(answer.body)}, the runtime's ${truth === '' ? 'none' : truth}`
    }
  }
  if (exchanges.every(isUnsent) && executions.length > 0) return 'said not to be sent, and executed'
  const isAccepted = exchanges.some((answer) => answer.kind === 'answer' && answer.status === 202)
  return isAccepted && executions.length === 0 && !isRefused(call.collected)
    ? 'said to be sent, and never executed'
    : undefined
}

/** A status that no fault explains. */
function findStranger({ attempts, collected }: Call): string | undefined {
  const answers = [...attempts.map(({ exchange }) => exchange), ...(collected === undefined ? [] : [collected])]
  const strange = answers.find((answer) => answer.kind === 'answer' && !isSuccess(answer) && !isExpected(answer))
  return strange === undefined ? undefined : `an unexpected answer: ${describe(strange)}`
}

/** Its `Location` says that it was not sent after all. */
function isRefused(collected: Exchange | undefined): boolean {
  return collected !== undefined && isUnsent(collected)
}

function isUnsent(answer: Exchange): boolean {
  if (answer.kind === 'answer') return problemMember(answer.body, 'outcome') === 'not_sent'
  return answer.kind === 'refused'
}

/** Failures that a fault may lead to. Everything else (400, 404, 409, 410, 422, 500) has no place in this load. */
function isExpected({ status }: Extract<Exchange, { kind: 'answer' }>): boolean {
  return [202, 502, 503, 504].includes(status)
}

export function describe(answer: Exchange | undefined): string {
  if (answer === undefined) return 'nothing'
  if (answer.kind !== 'answer') return answer.kind === 'broken' ? `broken (${answer.reason})` : answer.kind
  return `${answer.status} ${problemMember(answer.body, 'code') ?? JSON.stringify(answer.body).slice(0, 40)}`
}
