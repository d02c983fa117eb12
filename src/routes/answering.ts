import type { Invocation, Invoke, Outcome } from '../runtime-adapters/contract.ts'
import { CallUnderWay, type Waited } from './call-under-way.ts'
import { fingerprintOf, idempotencyScope } from './idempotency.ts'
import { acceptedAnswer, invocationPath } from './invocation-status.ts'
import type { InvocationRecord, InvocationStore, StoredAnswer } from './invocation-store.ts'
import type { Preferences } from './prefer.ts'
import { ProblemError, problemAnswer } from './problem.ts'
import { type HttpAnswer, toHttp } from './to-http.ts'

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

/** Milliseconds that a caller waits for his key to be free again. */
const RELEASE_MS = 1_000
/** Milliseconds that a stopping gateway gives to a store that is slow or away. */
const LAST_WRITES_MS = 2_000

export function createAnswering(options: AnsweringOptions): Answering {
  const { invoke, store } = options
  /** Writes to the store that go on after the caller was answered. */
  const writes = new Set<Promise<unknown>>()

  function keep(write: Promise<unknown>): void {
    // A store that is away loses the record of an answer, never the answer's effect; `/-/readyz` says that it is away.
    const settled = write.catch(() => undefined).finally(() => writes.delete(settled))
    writes.add(settled)
  }

  /** The usual way: the caller waits, the store is not asked. */
  async function answerNow(request: AnswerRequest): Promise<HttpAnswer> {
    const { invocation } = request
    const call = acceptsLate(invocation) ? new CallUnderWay() : undefined
    const outcome = await invoke(call === undefined ? invocation : { ...invocation, onAccepted: () => call.accept() })
    if (outcome.kind !== 'unknown') return toHttp(outcome, invocation)
    const record = await collectable(request, outcome)
    if (record !== undefined && call?.isAccepted) return acceptedAnswer(record)
    throw withLocation(toProblem(outcome, invocation), record && invocationPath(record.id))
  }

  /** Opens a record for a call whose deadline has passed; `undefined` when the store is away. */
  async function collectable(
    { invocation, principal }: AnswerRequest,
    outcome: Outcome,
  ): Promise<InvocationRecord | undefined> {
    // What ends with this process can't be collected from it.
    const isEnding = outcome.kind === 'unknown' && outcome.cause === 'shutting-down'
    if (isEnding && !store.isShared) return undefined
    const record = recordOf(invocation, { principal, fingerprint: undefined, options })
    try {
      await store.open(record, undefined)
      return record
    } catch {
      return undefined
    }
  }

  /** With a record from the start: by idempotency key, or since the caller does not want to wait. */
  async function answerKept(request: AnswerRequest): Promise<HttpAnswer> {
    const { invocation, principal, idempotencyKey } = request
    const scope = idempotencyKey === undefined ? undefined : idempotencyScope(principal, invocation, idempotencyKey)
    const fingerprint = scope === undefined ? undefined : fingerprintOf(invocation)
    const record = recordOf(invocation, { principal, fingerprint, options })
    do {
      const opened = await openOrRefuse(store, record, scope)
      if (opened.kind === 'opened') return run(request, record, scope)
      const joined = await join(request, { record: opened.record, fingerprint, store })
      // The call that was joined turned out not to be sent, and its key was released: this one takes its place.
      if (joined !== 'released') return joined
    } while (Date.now() < invocation.deadline)
    throw new ProblemError('overloaded', {
      detail: 'The deadline passed before the call could be sent.',
      invocationId: record.id,
    })
  }

  async function run(request: AnswerRequest, record: InvocationRecord, scope: string | undefined): Promise<HttpAnswer> {
    const call = new CallUnderWay()
    const { id, target, args, context } = request.invocation
    const invocation = { id, target, args, context, deadline: record.expiresAt, onAccepted: () => call.accept() }
    let released: Promise<unknown> | undefined
    const answerTo = (outcome: Outcome): StoredAnswer => {
      // An unknown outcome stays open: the reply may still come, here or on another replica.
      if (outcome.kind === 'unknown') return unknownAnswer(outcome, invocation, store.isShared)
      const answer = answerOf(outcome, invocation)
      const isSent = outcome.kind !== 'not-sent'
      const write = isSent ? store.finish(record.id, answer) : store.release(record.id, scope, answer)
      keep(write)
      if (!isSent) released = write.catch(() => undefined)
      return answer
    }
    call.follow(invoke(invocation), answerTo)
    const waited = await call.waitFor(request.preferences, request.invocation.deadline)
    // A retry must find its key free, unless the store is away: that changes nothing about the answer.
    if (released !== undefined) await atMost(RELEASE_MS, released)
    return delivered(waited === 'silent' && call.isAccepted ? lateAnswer(invocation) : waited, request, record)
  }

  return {
    answer: (request) =>
      request.idempotencyKey === undefined && !request.preferences.respondAsync
        ? answerNow(request)
        : answerKept(request),
    settled: () => atMost(LAST_WRITES_MS, Promise.allSettled([...writes])),
  }
}

async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  await Promise.race([work, promise])
  clearTimeout(timer)
}

async function openOrRefuse(store: InvocationStore, record: InvocationRecord, scope: string | undefined) {
  try {
    return await store.open(record, scope)
  } catch (error) {
    throw new ProblemError('store_unavailable', {
      detail: `This call needs the invocation store. ${error instanceof Error ? error.message : ''}`.trim(),
      invocationId: record.id,
    })
  }
}

interface Existing {
  readonly record: InvocationRecord
  readonly fingerprint: string | undefined
  readonly store: InvocationStore
}

/** The same key again: the same answer, now or when it is there. */
async function join(
  request: AnswerRequest,
  { record, fingerprint, store }: Existing,
): Promise<HttpAnswer | 'released'> {
  if (record.fingerprint !== fingerprint) {
    throw new ProblemError('idempotency_key_reused', {
      detail: 'This idempotency key was used with other arguments.',
      invocationId: record.id,
    })
  }
  const { respondAsync, waitSeconds } = request.preferences
  const untilMs = respondAsync ? Date.now() + (waitSeconds ?? 0) * 1_000 : request.invocation.deadline
  // The call is under way whether or not the store can say how far.
  const answer = record.answer ?? (await store.waitFor(record.id, untilMs).catch(() => undefined))
  if (answer !== undefined) return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } }
  if (Date.now() < untilMs && (await store.read(record.id).catch(() => record)) === undefined) return 'released'
  return delivered(respondAsync ? 'accepted' : lateAnswer(request.invocation), request, record)
}

/** The answer as it is, 202 for a call that was sent, 504 where nobody knows. */
function delivered(waited: Waited, request: AnswerRequest, record: InvocationRecord): HttpAnswer {
  if (waited === 'accepted') return acceptedAnswer(record)
  if (waited !== 'silent') return waited
  const outcome = {
    kind: 'unknown',
    cause: 'deadline',
    detail: 'The call was sent, and no answer came in time.',
  } as const
  throw withLocation(toProblem(outcome, { ...request.invocation, id: record.id }), invocationPath(record.id))
}

/** A record is open already, so the answer can be collected, unless the record ends with this process. */
function unknownAnswer(
  outcome: Extract<Outcome, { kind: 'unknown' }>,
  invocation: Invocation,
  outlivesProcess: boolean,
): HttpAnswer {
  const isCollectable = outcome.cause !== 'shutting-down' || outlivesProcess
  const location = isCollectable ? invocationPath(invocation.id) : undefined
  return problemAnswer(withLocation(toProblem(outcome, invocation), location), invocation.id)
}

/** To a caller whose patience has ended, and who did not ask for 202. */
function lateAnswer(invocation: Invocation): Waited {
  return acceptsLate(invocation) ? 'accepted' : 'silent'
}

/** The operator's policy for this method: 202 at the deadline of a call that was sent. */
function acceptsLate({ target }: Invocation): boolean {
  return target.kind === 'call' && target.method.acceptLate
}

interface RecordDetails {
  readonly principal: string
  readonly fingerprint: string | undefined
  readonly options: AnsweringOptions
}

function recordOf({ id, target }: Invocation, { principal, fingerprint, options }: RecordDetails): InvocationRecord {
  const createdAt = Date.now()
  const member = target.kind === 'call' ? target.method.name : 'attribute' in target ? target.attribute.name : undefined
  return {
    ...{ id, principal, fingerprint, createdAt },
    replica: options.replica,
    asked: {
      kind: target.kind,
      entity: target.entity.name,
      key: target.kind === 'create' ? undefined : target.key,
      member,
    },
    expiresAt: createdAt + options.lifetimeMs,
    state: 'running',
  }
}

/** Any outcome as the answer that its caller would get. */
export function answerOf(outcome: Outcome, invocation: Invocation): StoredAnswer {
  try {
    return toHttp(outcome, invocation)
  } catch (error) {
    if (error instanceof ProblemError) return problemAnswer(error, invocation.id)
    throw error
  }
}

function toProblem(outcome: Outcome, invocation: Invocation): ProblemError {
  try {
    toHttp(outcome, invocation)
  } catch (error) {
    if (error instanceof ProblemError) return error
    throw error
  }
  throw new Error(`the outcome ${outcome.kind} is no problem`)
}

function withLocation(problem: ProblemError, location: string | undefined): ProblemError {
  if (location === undefined) return problem
  return new ProblemError(problem.code, {
    ...problem.fields,
    headers: { ...problem.fields.headers, location },
    hint: `Its answer can be collected at ${location} once it is there.`,
  })
}
