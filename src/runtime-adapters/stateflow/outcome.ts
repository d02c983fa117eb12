import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { exactInteger } from '../../entity-registry/exact-json.ts'
import type { Invocation, Key, Outcome } from '../contract.ts'
import type { ReplyEvent, RequestName } from './request-shape.ts'

/**
 * What a reply says of the request it answers. A result is unwrapped by the request’s kind, not by how it looks: a flow
 * always answers with a list of its results, a plain method with just what it returned.
 */
export function outcomeOf(reply: ReplyEvent, request: RequestName, invocation: Invocation): Outcome {
  if (reply.id !== invocation.id) return { kind: 'malformed', detail: 'The reply belongs to another call.' }
  if (reply.type === 'KeyNotFound' && request !== 'InitClass') return notFound(reply, request)
  switch (request) {
    case 'InitClass':
      return createOutcome(reply, invocation.target.entity)
    case 'FindClass':
      return reply.type === 'FoundClass' ? { kind: 'returned', value: null } : mismatch(reply, request)
    case 'InvokeStateful':
      return callOutcome(reply, request, (results) => ({ kind: 'returned', value: results }))
    case 'EventFlow':
      return callOutcome(reply, request, flowResult)
    case 'GetState':
      return reply.type === 'SuccessfulStateRequest' && Object.hasOwn(reply.payload, 'state')
        ? { kind: 'returned', value: reply.payload.state }
        : mismatch(reply, request)
    case 'UpdateState':
      return reply.type === 'SuccessfulStateRequest' ? { kind: 'returned', value: null } : mismatch(reply, request)
    case 'Ping':
      return reply.type === 'Pong' ? { kind: 'returned', value: null } : mismatch(reply, request)
  }
}

function createOutcome(reply: ReplyEvent, entity: EntityDescriptor): Outcome {
  if (reply.type === 'FailedInvocation') {
    const message = messageOf(reply)
    // `stateful_operator.py`, `_handle_create_with_state`; any other failure is the constructor’s own.
    return /^\S+ class with key=[\s\S]* already exists\.$/.test(message)
      ? { kind: 'rejected', reason: 'entity-exists', detail: message, effect: 'none' }
      : raised(message)
  }
  if (reply.type !== 'SuccessfulCreateClass') return mismatch(reply, 'InitClass')
  const key = createdKey(reply, entity)
  return key === undefined
    ? { kind: 'malformed', detail: 'The runtime created an entity, but does not say under which key.' }
    : { kind: 'created', key }
}

/** The payload has the key as text, the address as it is. */
function createdKey({ key, payload }: ReplyEvent, entity: EntityDescriptor): Key | undefined {
  const candidate = [key, payload.key].find((value) => value !== null && value !== undefined && value !== '')
  if (entity.key.type === 'integer' && typeof candidate === 'string' && /^-?\d{1,40}$/.test(candidate)) {
    return exactInteger(candidate)
  }
  const isKey = typeof candidate === 'string' || typeof candidate === 'bigint' || Number.isSafeInteger(candidate)
  // The line above has just looked at the type; TypeScript does not follow it through `isSafeInteger`.
  return isKey ? (candidate as Key) : undefined
}

function callOutcome(reply: ReplyEvent, request: RequestName, unwrap: (results: unknown) => Outcome): Outcome {
  if (reply.type === 'FailedInvocation') return raised(messageOf(reply))
  if (reply.type !== 'SuccessfulInvocation' || !Object.hasOwn(reply.payload, 'return_results')) {
    return mismatch(reply, request)
  }
  return unwrap(reply.payload.return_results)
}

function flowResult(results: unknown): Outcome {
  if (!Array.isArray(results)) return { kind: 'malformed', detail: 'A split method answers with a list; this is none.' }
  return { kind: 'returned', value: results.length === 1 ? results[0] : results }
}

function notFound(reply: ReplyEvent, request: RequestName): Outcome {
  const reason = 'entity-not-found'
  if (request !== 'EventFlow') return { kind: 'rejected', reason, detail: messageOf(reply), effect: 'none' }
  // The runtime names the called entity’s key, whichever entity of the flow it did not find.
  const detail =
    'The entity itself, or one that the method refers to, does not exist; the runtime does not say which. ' +
    'What the method had done until then was not undone.'
  return { kind: 'rejected', reason, detail, effect: 'partial' }
}

/** `class_wrapper.py` puts these words around the exception’s own. */
const WRAPPED = /^Exception occurred during (?:invocation|creation of \w+): ([\s\S]*)\.$/

function raised(message: string): Outcome {
  return { kind: 'raised', message: WRAPPED.exec(message)?.[1] ?? message }
}

/** Characters of a message that are worth carrying on. */
const MAX_MESSAGE_CHARS = 2_000

function messageOf({ payload, type }: ReplyEvent): string {
  const { error_message: message } = payload
  return typeof message === 'string' && message !== ''
    ? message.slice(0, MAX_MESSAGE_CHARS)
    : `${type}, without a message.`
}

function mismatch(reply: ReplyEvent, request: RequestName): Outcome {
  const said = reply.type === 'FailedInvocation' ? `: ${messageOf(reply)}` : '.'
  return { kind: 'malformed', detail: `The runtime answered ${request} with ${reply.type.slice(0, 60)}${said}` }
}
