import type { InvocationStore } from '../../routes/invocation-store.ts'
import { ProblemError, problemAnswer } from '../../routes/problem.ts'
import type { HttpAnswer } from '../../routes/to-http.ts'
import { passOn } from './pass-on.ts'

/** In place of an answer that is too large, a store keeps a problem that says so. Who waits on the spot gets the whole answer. */
export function withAnswerLimit(store: InvocationStore, maxBytes: number): InvocationStore {
  const kept = (id: string, answer: HttpAnswer): HttpAnswer => {
    // A character is three bytes of UTF-8 at most, so most answers need no counting.
    if (answer.body.length * 3 <= maxBytes) return answer
    if (Buffer.byteLength(answer.body) <= maxBytes) return answer
    return endOnly(id, answer, `of which ${maxBytes} may be kept`)
  }
  return { ...passOn(store), finish: (id, answer) => store.finish(id, kept(id, answer)) }
}

/**
 * How a call ended, in place of an answer that can't be kept.
 * @param why goes on after the bytes that it has
 */
export function endOnly(id: string, { status, body }: HttpAnswer, why: string): HttpAnswer {
  const detail = `The call was answered with status ${status} and ${Buffer.byteLength(body)} bytes, ${why}.`
  return problemAnswer(new ProblemError('answer_too_large', { detail, invocationId: id }), id)
}
