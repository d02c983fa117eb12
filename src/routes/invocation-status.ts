import { stringifyExact } from '../entity-registry/exact-json.ts'
import type { InvocationRecord } from './invocation-store.ts'
import type { HttpAnswer } from './to-http.ts'

/** How far an invocation is, as callers see it. */
export type InvocationState = 'queued' | 'running' | 'succeeded' | 'failed' | 'expired'

export function invocationPath(id: string): string {
  return `/-/invocations/${id}`
}

export function stateOf({ state, answer, expiresAt }: InvocationRecord): InvocationState {
  if (state !== 'finished') return Date.now() < expiresAt ? state : 'expired'
  return answer !== undefined && answer.status < 400 ? 'succeeded' : 'failed'
}

/** Whether its answer may still come. */
export function isOpen(record: InvocationRecord): boolean {
  const state = stateOf(record)
  return state === 'queued' || state === 'running'
}

/** The status document. */
export function statusBody(record: InvocationRecord): string {
  const { id, asked, createdAt, expiresAt, answer } = record
  return stringifyExact({
    id,
    state: stateOf(record),
    entity: asked.entity,
    ...(asked.key === undefined ? {} : { key: asked.key }),
    operation: asked.member ?? asked.kind,
    submittedAt: new Date(createdAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(answer === undefined ? {} : { status: answer.status }),
    result: `${invocationPath(id)}/result`,
    events: `${invocationPath(id)}/events`,
  })
}

/** Seconds after which it is worth asking again. */
export const ASK_AGAIN_SECONDS = '1'

/** 202: not answered yet. Said of a call itself, it says that the runtime has it; its record is then a running one. */
export function acceptedAnswer(record: InvocationRecord): HttpAnswer {
  return {
    status: 202,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      location: invocationPath(record.id),
      'retry-after': ASK_AGAIN_SECONDS,
    },
    body: statusBody(record),
  }
}

export const statusSchema = {
  $id: 'InvocationStatus',
  type: 'object',
  description: 'How far an invocation is.',
  required: ['id', 'state', 'entity', 'operation', 'submittedAt', 'expiresAt', 'result', 'events'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    state: {
      type: 'string',
      enum: ['queued', 'running', 'succeeded', 'failed', 'expired'],
      description: '`queued` until it is known that the runtime has the call.',
    },
    entity: { type: 'string' },
    key: { type: ['string', 'integer'] },
    operation: { type: 'string', description: 'The method or attribute, or `create`, `find`, `read-state`.' },
    submittedAt: { type: 'string', format: 'date-time' },
    expiresAt: { type: 'string', format: 'date-time', description: 'After this nobody waits for the answer any more.' },
    status: { type: 'integer', description: 'The HTTP status of the result, once there is one.' },
    result: { type: 'string', format: 'uri-reference', description: 'The original status and body.' },
    events: { type: 'string', format: 'uri-reference', description: 'Server-Sent Events.' },
  },
} as const
