import { atMost } from '../entity-registry/at-most.ts'
import type { Outcome } from '../runtime-adapters/contract.ts'
import type { Answering, AnsweringOptions, AnswerRequest } from './answering.ts'
import { CallUnderWay } from './call-under-way.ts'
import { fingerprintOf, idempotencyScope } from './idempotency.ts'
import { type Acceptances, createAcceptances } from './invocation-acceptance.ts'
import { answerOf, delivered, unknownAnswer } from './invocation-answer.ts'
import { acceptsLate, joinInvocation } from './invocation-join.ts'
import { recordOf } from './invocation-record.ts'
import type { InvocationRecord, InvocationStore, OpenResult } from './invocation-store.ts'
import { ProblemError } from './problem.ts'
import type { HttpAnswer } from './to-http.ts'

/** What all calls of one replica share. */
interface Around extends AnsweringOptions {
  readonly acceptances: Acceptances
  readonly stopping: AbortSignal
  /** A write that goes on after the caller was answered. */
  readonly keep: (write: Promise<unknown>) => void
}

/** Milliseconds that a caller waits for his key to be free again. */
const RELEASE_MS = 1_000
/** Milliseconds that a stopping gateway gives to a store that is slow or away. */
const LAST_WRITES_MS = 2_000

/** Calls with a record from the start: by idempotency key, or since the caller does not want to wait. */
export function createKeptCalls(options: AnsweringOptions): Answering {
  const writes = new Set<Promise<unknown>>()
  const stopping = new AbortController()
  const keep = (write: Promise<unknown>): void => {
    // A store that is away loses the record of an answer, never the answer's effect; `/-/readyz` says that it is away.
    const settled = write.catch(() => undefined).finally(() => writes.delete(settled))
    writes.add(settled)
  }
  const acceptances = createAcceptances((id) => keep(options.store.accept(id)))
  const around = { ...options, acceptances, keep, stopping: stopping.signal }
  return {
    answer: (request) => answerKept(request, around),
    lastWord: () => stopping.abort(),
    async settled() {
      acceptances.flush()
      await atMost(LAST_WRITES_MS, Promise.allSettled([...writes]))
    },
  }
}

async function answerKept(request: AnswerRequest, around: Around): Promise<HttpAnswer> {
  const { store, stopping } = around
  const { invocation, principal, preferences, idempotencyKey } = request
  const scope = idempotencyKey === undefined ? undefined : idempotencyScope(principal, invocation, idempotencyKey)
  const fingerprint = scope === undefined ? undefined : fingerprintOf(invocation)
  const record = recordOf(invocation, { ...around, principal, fingerprint, isAccepted: false })
  do {
    const opened = await openOrRefuse(store, record, scope)
    if (opened.kind === 'opened') return run(request, { record, scope, around })
    const joining = { invocation, preferences, fingerprint, store, stopping, record: opened.record }
    const joined = await joinInvocation(joining)
    // The call that was joined turned out not to be sent, and its key was released: this one takes its place.
    if (joined !== 'released') return delivered(joined, { ...joining, isStopping: stopping.aborted })
  } while (Date.now() < invocation.deadline)
  throw new ProblemError('overloaded', {
    detail: 'The deadline passed before the call could be sent.',
    invocationId: record.id,
  })
}

interface Opened {
  readonly record: InvocationRecord
  readonly scope: string | undefined
  readonly around: Around
}

async function run({ invocation: asked, preferences }: AnswerRequest, opened: Opened): Promise<HttpAnswer> {
  const { record, scope, around } = opened
  const { invoke, store, acceptances, keep, stopping } = around
  const { id, target, args, context } = asked
  const { respondAsync } = preferences
  const patience = respondAsync ? 'detached' : asked.patience
  const call = new CallUnderWay()
  // What these two see is kept for as long as the call waits: not the record, which the store has replaced by then.
  const onAccepted = (): void => {
    call.accept()
    acceptances.note(id, respondAsync)
  }
  const invocation = { id, target, args, context, deadline: record.expiresAt, onAccepted, patience }
  let released: Promise<unknown> | undefined
  const answerTo = (outcome: Outcome): HttpAnswer => {
    // An unknown outcome stays open: the reply may still come, here or on another replica.
    if (outcome.kind === 'unknown' && outcome.isFinal !== true) return unknownAnswer(outcome, invocation, store)
    acceptances.forget(id)
    const answer = answerOf(outcome, invocation)
    const isSent = outcome.kind !== 'not-sent'
    const write = isSent ? store.finish(id, answer) : store.release(id, scope, answer)
    keep(write)
    if (!isSent) released = write.catch(() => undefined)
    return answer
  }
  call.follow(invoke(invocation), answerTo)
  const waited = await call.waitFor(preferences, asked.deadline)
  // A retry must find its key free, unless the store is away: that changes nothing about the answer.
  if (released !== undefined) await atMost(RELEASE_MS, released)
  const isLate = waited === 'silent' && call.isAccepted && acceptsLate(invocation)
  return delivered(isLate ? 'accepted' : waited, { invocation, record, store, isStopping: stopping.aborted })
}

async function openOrRefuse(
  store: InvocationStore,
  record: InvocationRecord,
  scope: string | undefined,
): Promise<OpenResult> {
  try {
    return await store.open(record, scope)
  } catch (error) {
    throw new ProblemError('store_unavailable', {
      detail: `This call needs the invocation store. ${error instanceof Error ? error.message : ''}`.trim(),
      invocationId: record.id,
    })
  }
}
