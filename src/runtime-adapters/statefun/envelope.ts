import { type Pointer, parsePointer } from './json-pointer.ts'
import type { EnvelopeMembers } from './runtime-members.ts'

/**
 * How an answer finds its call: by an id in the message, by an id that is the function’s own, or by the function
 * `gateway/dispatch`, which asks in the gateway’s place.
 */
export type Correlation = 'payload' | 'key' | 'dispatch'

/** Where things stand in a function’s JSON messages. `undefined`: nowhere. */
export interface Envelope {
  readonly request: {
    readonly correlationId: Pointer | undefined
    readonly replyTopic: Pointer | undefined
    readonly method: Pointer | undefined
    readonly key: Pointer | undefined
    readonly arguments: Pointer
  }
  readonly reply: {
    readonly correlationId: Pointer | undefined
    /** true or false; where there is none, an answer without an error has succeeded. */
    readonly ok: Pointer | undefined
    readonly result: Pointer
    /** The key of an entity that was created. */
    readonly key: Pointer | undefined
    readonly errorCode: Pointer | undefined
    readonly errorMessage: Pointer | undefined
    readonly errorData: Pointer | undefined
  }
  readonly errors: ReadonlyMap<string, 'entity-not-found' | 'entity-exists'>
}

const ERRORS = { KEY_NOT_FOUND: 'entity-not-found', ALREADY_EXISTS: 'entity-exists' } as const

/** What the metadata leaves out is as StateFun’s own examples have it. */
export function completeEnvelope(
  { request = {}, reply = {}, errors = ERRORS }: EnvelopeMembers,
  correlation: Correlation,
): Envelope {
  const isInPayload = correlation === 'payload'
  return {
    request: {
      correlationId: place(request.correlationId, isInPayload ? '/correlation_id' : null),
      replyTopic: place(request.replyTopic, null),
      method: place(request.method, '/method'),
      // The function’s id is the invocation’s, so the entity’s key must be in the message.
      key: place(request.key, correlation === 'key' ? '/key' : null),
      arguments: parsePointer(request.arguments ?? '/args'),
    },
    reply: {
      correlationId: place(reply.correlationId, isInPayload ? '/correlation_id' : null),
      ok: place(reply.ok, '/ok'),
      result: parsePointer(reply.result ?? '/result'),
      key: place(reply.key, isInPayload ? '/id' : null),
      errorCode: place(reply.errorCode, '/error/code'),
      errorMessage: place(reply.errorMessage, '/error/message'),
      errorData: place(reply.errorData, '/error/data'),
    },
    errors: new Map(Object.entries(errors)),
  }
}

function place(given: string | null | undefined, fallback: string | null): Pointer | undefined {
  const text = given === undefined ? fallback : given
  return text === null ? undefined : parsePointer(text)
}
