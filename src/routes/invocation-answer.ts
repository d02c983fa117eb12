import type { Invocation, Outcome } from '../runtime-adapters/contract.ts'
import type { Waited } from './call-under-way.ts'
import { acceptedAnswer, invocationPath } from './invocation-status.ts'
import type { InvocationRecord, InvocationStore } from './invocation-store.ts'
import { ProblemError, problemAnswer } from './problem.ts'
import { type HttpAnswer, problemOfUnknown, toHttp, type UnknownOutcome } from './to-http.ts'

const SILENT: UnknownOutcome = {
  ...{ kind: 'unknown', cause: 'deadline' },
  detail: 'No answer came in time, and the call may have been sent.',
}
const ABANDONED: UnknownOutcome = {
  ...{ kind: 'unknown', cause: 'shutting-down' },
  detail: 'This replica stopped before the answer came.',
}

/** Any outcome as the answer that its caller would get. */
export function answerOf(outcome: Outcome, invocation: Invocation): HttpAnswer {
  try {
    return toHttp(outcome, invocation)
  } catch (error) {
    if (error instanceof ProblemError) return problemAnswer(error, invocation.id)
    throw error
  }
}

/** Whether the answer may still come, to where it can be asked for: what ends with this process can't be collected from it. */
export function isCollectable({ cause, isFinal }: UnknownOutcome, store: InvocationStore): boolean {
  return isFinal !== true && (cause !== 'shutting-down' || store.isShared)
}

/** To him who waits, while the record is open. */
export function unknownAnswer(outcome: UnknownOutcome, invocation: Invocation, store: InvocationStore): HttpAnswer {
  return problemAnswer(unknownProblem(outcome, invocation, isCollectable(outcome, store)), invocation.id)
}

/** @param hasRecord its answer can be collected once it is there */
export function unknownProblem(outcome: UnknownOutcome, invocation: Invocation, hasRecord: boolean): ProblemError {
  const problem = problemOfUnknown(outcome, invocation)
  if (!hasRecord) return problem
  const location = invocationPath(invocation.id)
  return new ProblemError(problem.code, {
    ...problem.fields,
    headers: { ...problem.fields.headers, location },
    hint: `Its answer can be collected at ${location} once it is there.`,
  })
}

export interface Delivery {
  readonly invocation: Invocation
  readonly record: InvocationRecord
  readonly store: InvocationStore
  /** Nobody can wait here any longer. */
  readonly isStopping: boolean
}

/**
 * The answer as it is, 202 for a call that the runtime has, 504 where nobody knows.
 * @throws ProblemError
 */
export function delivered(waited: Waited, { invocation, record, store, isStopping }: Delivery): HttpAnswer {
  if (waited === 'accepted') return acceptedAnswer({ ...record, state: 'running' })
  if (waited !== 'silent') return waited
  const outcome = isStopping ? ABANDONED : SILENT
  throw unknownProblem(outcome, { ...invocation, id: record.id }, isCollectable(outcome, store))
}
