import { stringifyExact } from '../entity-registry/exact-json.ts'
import { type ProblemError, problemAnswer } from './problem.ts'
import type { HttpAnswer } from './to-http.ts'

/** Whom an answer is for: the caller's own id of the line, or the line's number where it has none that can be read. */
export type BatchPlace =
  | { readonly kind: 'id'; readonly id: string | number | bigint }
  | { readonly kind: 'line'; readonly number: number }

/** One line of the answer. The body is JSON text without line breaks already, and is not read again. */
export function answerLine(place: BatchPlace, { status, headers, body }: HttpAnswer): string {
  const name = place.kind === 'id' ? `"id":${stringifyExact(place.id)}` : `"line":${place.number}`
  const location = headers.location === undefined ? '' : `,"location":${JSON.stringify(headers.location)}`
  const replayed = headers['idempotency-replayed'] === undefined ? '' : ',"replayed":true'
  const content = body === '' ? '' : `,"${status < 400 ? 'body' : 'problem'}":${body}`
  return `{${name},"status":${status}${location}${replayed}${content}}\n`
}

/** @param id of the invocation, or of this occurrence of the problem where there is none */
export function refusalLine(place: BatchPlace, problem: ProblemError, id: string): string {
  return answerLine(place, problemAnswer(problem, id))
}
