import type { Invocation, Invoke } from '../runtime-adapters/contract.ts'
import { isCollectable, unknownProblem } from './invocation-answer.ts'
import { acceptsLate } from './invocation-join.ts'
import { createKeptCalls } from './invocation-kept.ts'
import { recordOf } from './invocation-record.ts'
import { acceptedAnswer } from './invocation-status.ts'
import type { InvocationRecord, InvocationStore } from './invocation-store.ts'
import type { Preferences } from './prefer.ts'
import { changesNothing } from './target.ts'
import { type HttpAnswer, toHttp, type UnknownOutcome } from './to-http.ts'

/** How a call is to be answered. */
export interface AnswerRequest {
  readonly invocation: Invocation
  readonly preferences: Preferences
  readonly idempotencyKey: string | undefined
  /** `''`: nobody was authenticated. */
  readonly principal: string
}

/** From a checked invocation to its answer, however long that takes and whoever waits for it. */
export interface Answering {
  /** @throws ProblemError for every answer that is a failure */
  answer(request: AnswerRequest): Promise<HttpAnswer>
  /** Nobody waits here any longer: who has joined a call is told that its outcome is not known. */
  lastWord(): void
  /** Waits until everything that goes to the store has gone there, for two seconds at most. */
  settled(): Promise<void>
}

export interface AnsweringOptions {
  readonly invoke: Invoke
  readonly store: InvocationStore
  /** This replica's name in records. */
  readonly replica: string
  /** Milliseconds that a call whose caller does not wait may take. */
  readonly lifetimeMs: number
}

export function createAnswering(options: AnsweringOptions): Answering {
  const kept = createKeptCalls(options)
  return {
    ...kept,
    answer: (request) =>
      request.idempotencyKey === undefined && !request.preferences.respondAsync
        ? answerNow(request, options)
        : kept.answer(request),
  }
}

/** The usual way: the caller waits, the store is not asked. Not an async function: its frame would be kept for as long as the call waits. */
function answerNow(request: AnswerRequest, options: AnsweringOptions): Promise<HttpAnswer> {
  const { invocation } = request
  let isAccepted = false
  const onAccepted = (): void => {
    isAccepted = true
  }
  return options
    .invoke({ ...invocation, onAccepted })
    .then((outcome) =>
      outcome.kind === 'unknown'
        ? answerUnknown(outcome, { request, isAccepted, options })
        : toHttp(outcome, invocation),
    )
}

interface Unanswered {
  readonly request: AnswerRequest
  readonly isAccepted: boolean
  readonly options: AnsweringOptions
}

async function answerUnknown(outcome: UnknownOutcome, unanswered: Unanswered): Promise<HttpAnswer> {
  const { request, isAccepted, options } = unanswered
  const { invocation } = request
  const record = mayBeKept(invocation, outcome, options.store)
    ? await openLate(request, isAccepted, options)
    : undefined
  if (record !== undefined && isAccepted && acceptsLate(invocation)) return acceptedAnswer(record)
  throw unknownProblem(outcome, invocation, record !== undefined)
}

function mayBeKept(invocation: Invocation, outcome: UnknownOutcome, store: InvocationStore): boolean {
  // A read is asked again: that costs less than a record, and gets a younger answer.
  const isRead = changesNothing(invocation.target) && !acceptsLate(invocation)
  return !isRead && isCollectable(outcome, store)
}

/** A record for a call whose deadline has passed; `undefined` when the store is away. */
async function openLate(
  { invocation, principal }: AnswerRequest,
  isAccepted: boolean,
  { store, replica, lifetimeMs }: AnsweringOptions,
): Promise<InvocationRecord | undefined> {
  const record = recordOf(invocation, { principal, fingerprint: undefined, replica, lifetimeMs, isAccepted })
  try {
    await store.open(record, undefined)
    return record
  } catch {
    return undefined
  }
}
