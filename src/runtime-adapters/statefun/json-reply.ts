import { isUtf8 } from 'node:buffer'
import { isDeeperThan, parseExact } from '../../entity-registry/exact-json.ts'
import type { Envelope } from './envelope.ts'
import type { FunctionAnswer, ReadAnswer } from './function-call.ts'
import { type Pointer, showPointer, valueAt } from './json-pointer.ts'

/** Nesting of an answer; what is deeper is not data that anyone sends on purpose. */
const MAX_DEPTH = 200
/** The time to read an integer grows with the square of its digits. Looked for where a run of digits begins: at each of them, it would take seconds. */
const TOO_MANY_DIGITS = /(?<!\d)\d{4301}/
/** Characters of a message that are worth carrying on. */
const MAX_MESSAGE_CHARS = 2_000

export function jsonReplyReader({ reply }: Envelope): ReadAnswer {
  return (bytes, id) => {
    const parsed = parseJson(bytes)
    // Of bytes that are no JSON nobody can say that the id is not at its place.
    return typeof parsed === 'string' ? unreadable(parsed, id) : answerIn(parsed.value, reply, id)
  }
}

/** @returns the reason as text when the bytes can’t be read */
export function parseJson(bytes: Buffer): { readonly value: unknown } | string {
  if (bytes.length === 0) return 'The reply is empty.'
  if (!isUtf8(bytes)) return 'The reply is not UTF-8.'
  const text = bytes.toString('utf8')
  if (TOO_MANY_DIGITS.test(text)) return 'The reply has a number of more than 4,300 digits.'
  try {
    const value = parseExact(text)
    return isDeeperThan(value, MAX_DEPTH) ? `The reply is nested more than ${MAX_DEPTH} deep.` : { value }
  } catch {
    return 'The reply is not JSON that can be carried on (NaN and Infinity are not).'
  }
}

function answerIn(document: unknown, reply: Envelope['reply'], id: string): FunctionAnswer {
  const at = (place: Pointer | undefined) => (place === undefined ? undefined : valueAt(document, place))
  const callId = at(reply.correlationId)
  if (callId !== undefined && callId !== id) return unreadable('The reply belongs to another call.', callId)
  const ok = at(reply.ok)
  if (reply.ok !== undefined && typeof ok !== 'boolean') {
    return unreadable(`The reply does not say at "${showPointer(reply.ok)}" whether the call succeeded.`, callId)
  }
  const code = textOf(at(reply.errorCode))
  const message = textOf(at(reply.errorMessage))
  if (ok === false || (ok === undefined && (code !== undefined || message !== undefined))) {
    return {
      kind: 'error',
      callId,
      code,
      message: message ?? code ?? 'It failed, without a message.',
      data: at(reply.errorData),
    }
  }
  return { kind: 'result', callId, value: at(reply.result) ?? null, key: at(reply.key) }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value.slice(0, MAX_MESSAGE_CHARS)
  return typeof value === 'number' ? String(value) : undefined
}

function unreadable(detail: string, callId: unknown): FunctionAnswer {
  return { kind: 'unreadable', callId, detail }
}
