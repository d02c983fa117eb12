import type { Invocation } from '../runtime-adapters/contract.ts'
import type { Waited } from './call-under-way.ts'
import { invocationPath, stateOf } from './invocation-status.ts'
import type { InvocationRecord, InvocationStore } from './invocation-store.ts'
import type { Preferences } from './prefer.ts'
import { ProblemError } from './problem.ts'
import type { HttpAnswer } from './to-http.ts'

/** A call under an idempotency key that another call has, perhaps on another replica. */
export interface Joining {
  readonly invocation: Invocation
  readonly preferences: Preferences
  readonly fingerprint: string | undefined
  /** Of the call that is joined. */
  readonly record: InvocationRecord
  readonly store: InvocationStore
  /** Aborts when nobody can wait here any longer. */
  readonly stopping: AbortSignal
}

/**
 * The same key again: the same answer, now or when it is there. 202 is said only of a call that the runtime surely has.
 * @returns `released`: the call that was joined is no more
 */
export async function joinInvocation(joining: Joining): Promise<Waited | 'released'> {
  const { record, fingerprint, preferences, invocation } = joining
  if (record.fingerprint !== fingerprint) {
    throw new ProblemError('idempotency_key_reused', {
      detail: 'This idempotency key was used with other arguments.',
      invocationId: record.id,
    })
  }
  if (record.answer !== undefined) return replayed(record.answer)
  if (stateOf(record) === 'expired') throw abandoned(record)
  const { respondAsync, waitSeconds = 0 } = preferences
  if (!respondAsync) return untilAnswered(joining, invocation.deadline)
  const answered = waitSeconds > 0 ? await untilAnswered(joining, Date.now() + waitSeconds * 1_000) : 'silent'
  return answered === 'silent' ? untilAccepted(joining) : answered
}

async function untilAnswered(joining: Joining, untilMs: number): Promise<Waited | 'released'> {
  const { record, store, stopping, invocation, preferences } = joining
  const isTimeUp = timeUntil(untilMs)
  // The call is under way whether or not the store can say how far.
  const answer = await store.waitFor(record.id, untilMs, stopping).catch(() => undefined)
  if (answer !== undefined) return replayed(answer)
  const isOver = isTimeUp()
  if (isOver && (preferences.respondAsync || !acceptsLate(invocation))) return 'silent'
  const now = await store.read(record.id).catch(() => record)
  if (now === undefined && !isOver) return 'released'
  if (typeof now === 'object' && now.answer !== undefined) return replayed(now.answer)
  return isOver && typeof now === 'object' && now.state !== 'queued' ? 'accepted' : 'silent'
}

/** No longer than an answer would be waited for. */
async function untilAccepted({ record, store, stopping, invocation }: Joining): Promise<Waited | 'released'> {
  if (record.state === 'running') return 'accepted'
  const untilMs = Math.max(invocation.deadline, Date.now() + 1)
  const isTimeUp = timeUntil(untilMs)
  const told = await store.waitForAcceptance(record.id, untilMs, stopping).catch(() => undefined)
  if (told !== undefined) return told === 'accepted' ? told : replayed(told)
  const isGone = !isTimeUp() && (await store.read(record.id).catch(() => record)) === undefined
  return isGone ? 'released' : 'silent'
}

/**
 * Whether that time has come, also when the clock is set meanwhile. A timer may be early by a millisecond, and a store that waits until then has
 * read the clock once more, which may have moved on by one.
 */
function timeUntil(untilMs: number): () => boolean {
  const upAtMs = performance.now() + untilMs - Date.now()
  return () => performance.now() + 2 >= upAtMs
}

/** The key stays taken: whether its call ran will hardly be known any more, and it must not run twice. */
function abandoned({ id }: InvocationRecord): ProblemError {
  return new ProblemError('deadline_exceeded', {
    detail: 'No answer came for as long as the first call with this key was waited for.',
    hint: 'Find out whether it took effect; to call again, use another key.',
    retry: 'never',
    invocationId: id,
    headers: { location: invocationPath(id) },
  })
}

function replayed(answer: HttpAnswer): HttpAnswer {
  return { ...answer, headers: { ...answer.headers, 'idempotency-replayed': 'true' } }
}

/** The operator's policy for this method: 202 at the deadline of a call that was sent. */
export function acceptsLate({ target }: Invocation): boolean {
  return target.kind === 'call' && target.method.acceptLate
}
