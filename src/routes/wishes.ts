import type { FastifyRequest } from 'fastify'
import { parseIdempotencyKey } from './idempotency.ts'
import { noPreferences, type Preferences, parsePrefer } from './prefer.ts'
import { ProblemError } from './problem.ts'
import type { HttpAnswer } from './to-http.ts'

/** How a caller wants his call to be treated, from its headers. */
export interface Wishes {
  readonly preferences: Preferences
  readonly idempotencyKey: string | undefined
}

/** @throws ProblemError when a header can't be read or obeyed, or when a strict caller prefers what is not known here */
export function readWishes(request: FastifyRequest, maxWaitMs: number): Wishes {
  const { method, headers } = request
  const asked = readPreferences(headers.prefer, maxWaitMs)
  // Reads may be repeated, without a key too: nothing of them has to be kept.
  const isRead = method === 'GET' || method === 'HEAD'
  if (!isRead) refuseCondition(request)
  return {
    preferences: isRead && asked !== noPreferences ? { ...asked, respondAsync: false, minimal: false } : asked,
    idempotencyKey: isRead ? undefined : parseIdempotencyKey(headers['idempotency-key']),
  }
}

/**
 * RFC 9110, sections 13.1.1 and 13.1.2: nothing may be changed where the condition does not hold, and no runtime can look at it and write
 * in one step.
 * @throws ProblemError
 */
export function refuseCondition({ method, headers }: Pick<FastifyRequest, 'method' | 'headers'>): void {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  // `*` asks for no more than that the entity is there.
  if (match !== undefined && match.trim() !== '*') throw unkept('If-Match', 'is still as it was read')
  // Where something is posted to, there is nothing that could match.
  if (method === 'PUT' && noneMatch !== undefined) throw unkept('If-None-Match', 'is not as it was read, or not there')
}

function unkept(header: string, condition: string): ProblemError {
  return new ProblemError('unsupported_call', {
    detail: `No runtime can be asked to change something only where it ${condition}, so \`${header}\` can’t be kept to.`,
    hint: 'Give the entity a method that compares and writes.',
  })
}

/** @throws ProblemError when a strict caller prefers what is not known here */
export function readPreferences(header: string | readonly string[] | undefined, maxWaitMs: number): Preferences {
  const asked = withinCap(parsePrefer(headerText(header)), maxWaitMs)
  if (asked.strict && asked.unknown.length > 0) {
    throw new ProblemError('unknown_preference', {
      detail: `Not known here: ${asked.unknown.join(', ')}.`,
      hint: 'Known are respond-async, wait=N, return=minimal, return=representation, handling=strict and handling=lenient.',
    })
  }
  return asked
}

/** Nobody waits longer than the operator allows; `Preference-Applied` then says how long it is. */
function withinCap(asked: Preferences, maxWaitMs: number): Preferences {
  return asked.waitSeconds === undefined
    ? asked
    : { ...asked, waitSeconds: Math.min(asked.waitSeconds, maxWaitMs / 1_000) }
}

/**
 * Milliseconds that a call may take: the caller's wish, which is within the operator's cap, before the method's policy.
 * With `respond-async` his wish says when 202 is due; the call must still have the time to be sent.
 */
export function deadlineFor({ respondAsync, waitSeconds }: Preferences, policyMs: number): number {
  const wishedMs = waitSeconds === undefined ? policyMs : Math.max(1, waitSeconds * 1_000)
  return respondAsync ? Math.max(wishedMs, policyMs) : wishedMs
}

/** The answer with `Preference-Applied` and `Vary`, and without its body where none is wanted. */
export function applyPreferences(answer: HttpAnswer, { preferences }: Wishes): HttpAnswer {
  // What tells a key or an invocation is as small as it can be.
  const dropsBody = preferences.minimal && (answer.status === 200 || answer.status === 204)
  const isAccepted = answer.status === 202
  const headers = { ...answer.headers, ...preferenceHeaders(preferences, { isAccepted, dropsBody }) }
  if (!dropsBody) return { ...answer, headers }
  const { 'content-type': _dropped, ...rest } = headers as Record<string, string>
  return { status: 204, headers: rest, body: '' }
}

/** Of a failure: who was not waited for as long as he asked is told so. */
export function failureHeaders({ preferences }: Wishes): Readonly<Record<string, string>> {
  return preferenceHeaders(preferences, { isAccepted: false, dropsBody: false })
}

const VARY = { vary: 'Prefer' }

function preferenceHeaders(
  preferences: Preferences,
  { isAccepted, dropsBody }: { readonly isAccepted: boolean; readonly dropsBody: boolean },
): Readonly<Record<string, string>> {
  // Of almost every call, for which nothing is gathered.
  if (preferences === noPreferences) return VARY
  const { respondAsync, waitSeconds, strict } = preferences
  const applied = [
    ...(respondAsync && isAccepted ? ['respond-async'] : []),
    ...(waitSeconds === undefined ? [] : [appliedWait(waitSeconds)]),
    ...(dropsBody ? ['return=minimal'] : []),
    ...(strict ? ['handling=strict'] : []),
  ]
  return { ...VARY, ...(applied.length > 0 && { 'preference-applied': applied.join(', ') }) }
}

/** In whole seconds, as RFC 7240 has them: never more than is waited where the operator's cap has a fraction. */
export function appliedWait(waitSeconds: number): string {
  return `wait=${Math.floor(waitSeconds)}`
}

/** Node joins repeated lines of a header by commas, or lists them; either is one list. */
function headerText(header: string | readonly string[] | undefined): string | undefined {
  return header === undefined || typeof header === 'string' ? header : header.join(', ')
}
