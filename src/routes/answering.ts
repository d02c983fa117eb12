import type { Invocation, Invoke, Outcome } from '../runtime-adapters/contract.ts'
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
  /** Waits until everything that goes to the store has gone there. */
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
    const outcome = await invoke(invocation)
    if (outcome.kind !== 'unknown') return toHttp(outcome, invocation)
    const location = await collectableAt(request, outcome)
    throw withLocation(toProblem(outcome, invocation), location)
  }

  /** Opens a record for a call whose deadline has passed; `undefined` when the store is away. */
  async function collectableAt(
    { invocation, principal }: AnswerRequest,
    outcome: Outcome,
  ): Promise<string | undefined> {
    // What ends with this process can't be collected from it.
    const isEnding = outcome.kind === 'unknown' && outcome.cause === 'shutting-down'
    if (isEnding && !store.isShared) return undefined
    const record = recordOf(invocation, { principal, fingerprint: undefined, options })
    try {
      await store.open(record, undefined)
      return invocationPath(invocation.id)
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
    const opened = await openOrRefuse(store, record, scope)
    if (opened.kind === 'exists') return join(request, { record: opened.record, fingerprint, store })
    return run(request, record, scope)
  }

  async function run(request: AnswerRequest, record: InvocationRecord, scope: string | undefined): Promise<HttpAnswer> {
    const accepted = Promise.withResolvers<undefined>()
    const invocation: Invocation = {
      ...request.invocation,
      deadline: record.expiresAt,
      onAccepted: () => accepted.resolve(undefined),
    }
    const answered = invoke(invocation).then(async (outcome) => {
      const answer = answerOf(outcome, invocation)
      if (outcome.kind === 'not-sent') await store.release(record.id, scope, answer)
      // An unknown outcome stays open: the reply may still come, here or on another replica.
      else if (outcome.kind !== 'unknown') keep(store.finish(record.id, answer))
      return answer
    })
    keep(answered)
    const answer = await withinWait(request, { answered, accepted: accepted.promise })
    return delivered(answer, request, record)
  }

  return {
    answer: (request) =>
      request.idempotencyKey === undefined && !request.preferences.respondAsync
        ? answerNow(request)
        : answerKept(request),
    async settled() {
      await Promise.allSettled([...writes])
    },
  }
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
async function join(request: AnswerRequest, { record, fingerprint, store }: Existing): Promise<HttpAnswer> {
  if (record.fingerprint !== fingerprint) {
    throw new ProblemError('idempotency_key_reused', {
      detail: 'This idempotency key was used with other arguments.',
      invocationId: record.id,
    })
  }
  const { respondAsync, waitSeconds } = request.preferences
  const untilMs = respondAsync ? Date.now() + (waitSeconds ?? 0) * 1_000 : request.invocation.deadline
  const answer = record.answer ?? (await store.waitFor(record.id, untilMs))
  const replayed = answer && { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } }
  return delivered(replayed, request, record)
}

interface Running {
  readonly answered: Promise<HttpAnswer>
  readonly accepted: Promise<undefined>
}

/** @returns `undefined` when the caller has waited as long as he would */
async function withinWait(
  { preferences, invocation }: AnswerRequest,
  running: Running,
): Promise<HttpAnswer | undefined> {
  const { respondAsync, waitSeconds } = preferences
  if (respondAsync && waitSeconds === undefined) return Promise.race([running.answered, running.accepted])
  const waitMs = respondAsync ? (waitSeconds ?? 0) * 1_000 : invocation.deadline - Date.now()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, Math.max(0, waitMs), undefined)
  const answer = await Promise.race([running.answered, promise])
  clearTimeout(timer)
  // 202 is a promise that the call was sent.
  return answer ?? (respondAsync ? Promise.race([running.answered, running.accepted]) : undefined)
}

/** The answer as it is, 202 to a caller who asked for it, 504 to one who did not. */
function delivered(answer: StoredAnswer | undefined, request: AnswerRequest, record: InvocationRecord): HttpAnswer {
  if (answer !== undefined) return answer
  if (request.preferences.respondAsync) return acceptedAnswer(record)
  const outcome = {
    kind: 'unknown',
    cause: 'deadline',
    detail: 'The call was sent, and no answer came in time.',
  } as const
  throw withLocation(toProblem(outcome, { ...request.invocation, id: record.id }), invocationPath(record.id))
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
