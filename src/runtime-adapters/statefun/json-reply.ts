import { messageOf } from '../../entity-registry/message-of.ts'
import { parseReply, textOfReply } from '../kafka/reply-json.ts'
import type { Envelope } from './envelope.ts'
import type { FunctionAnswer, ReadAnswer } from './function-call.ts'
import { type Pointer, showPointer, valueAt } from './json-pointer.ts'

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
  try {
    return { value: parseReply(textOfReply(bytes)) }
  } catch (error) {
    return messageOf(error)
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
