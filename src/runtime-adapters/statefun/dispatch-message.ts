import { isUtf8 } from 'node:buffer'
import { parseJson } from './json-reply.ts'
import type { MemberSettings } from './member-settings.ts'

/**
 * What goes to and comes from the function `gateway/dispatch`: a message, packed with its address. The message stays as it
 * is, as text where it is text, so that no JSON reader on its way can lose a digit of it.
 */

/** Where the dispatch topic leads. */
export const dispatchRoute = { functionType: 'gateway/dispatch', valueType: 'gateway/request' } as const

export function packRequest({ functionType, valueType }: MemberSettings, id: string, message: Buffer): Buffer {
  return Buffer.from(JSON.stringify({ function: functionType, id, type: valueType, ...packed(message) }))
}

/** A question that `gateway/dispatch` answers itself. */
export function pingRequest(): Buffer {
  return Buffer.from('{"ping":true}')
}

export interface PackedReply {
  readonly correlationId: string
  /** The id of the function that was asked. */
  readonly id: string | undefined
  /** `undefined`: a pong. */
  readonly message: Buffer | undefined
}

/** @returns the reason as text when the bytes can’t be read */
export function unpackReply(bytes: Buffer): PackedReply | string {
  const parsed = parseJson(bytes)
  if (typeof parsed === 'string') return parsed
  const { correlation_id: correlationId, id, pong, text, base64, problem } = Object(parsed.value)
  if (typeof correlationId !== 'string') return 'The reply is JSON, but not one of gateway/dispatch.'
  const known = { correlationId, id: typeof id === 'string' ? id : undefined }
  if (pong === true) return { ...known, message: undefined }
  if (typeof text === 'string') return { ...known, message: Buffer.from(text) }
  if (typeof base64 === 'string') return { ...known, message: Buffer.from(base64, 'base64') }
  return typeof problem === 'string' ? problem.slice(0, 200) : 'The reply of gateway/dispatch has no message in it.'
}

/** Bytes in JSON: as text where they are text. */
export function packed(message: Buffer): { readonly text: string } | { readonly base64: string } {
  return isUtf8(message) ? { text: message.toString('utf8') } : { base64: message.toString('base64') }
}
