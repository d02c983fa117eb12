import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { stringifyExact } from '../entity-registry/exact-json.ts'
import type { Invocation, Key, NotSentCause, Outcome, Target, UnknownCause } from '../runtime-adapters/contract.ts'
import { ProblemError, type ProblemFields } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { changesNothing } from './target.ts'

/** Hop 7: what came of a call → status, headers, body. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text; empty for 204. */
  readonly body: string
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' }

const notSentCodes: Readonly<Record<NotSentCause, ProblemCode>> = {
  unsupported: 'unsupported_call',
  overloaded: 'overloaded',
  'too-large': 'record_too_large',
  'broker-unavailable': 'broker_unavailable',
  'runtime-unavailable': 'runtime_unavailable',
  'shutting-down': 'shutting_down',
}

const unknownCodes: Readonly<Record<UnknownCause, ProblemCode>> = {
  deadline: 'deadline_exceeded',
  'connection-lost': 'connection_lost',
  'shutting-down': 'answer_abandoned',
}

/** @throws ProblemError for every outcome that is not a success */
export function toHttp(outcome: Outcome, invocation: Invocation): HttpAnswer {
  const { target, id } = invocation
  const fail = (code: ProblemCode, fields: ProblemFields) => new ProblemError(code, { invocationId: id, ...fields })
  switch (outcome.kind) {
    case 'created':
      return created(target.entity, outcome.key)
    case 'returned':
      return returned(target, outcome.value)
    case 'rejected':
      throw fail(outcome.reason === 'entity-exists' ? 'entity_exists' : 'entity_not_found', {
        detail: outcome.detail,
        outcome: outcome.effect === 'none' ? 'rejected' : 'raised',
      })
    case 'raised':
      throw raised(outcome, target, fail)
    case 'malformed':
      throw fail('unreadable_answer', { detail: outcome.detail, ...unsureRetry(target) })
    case 'not-sent':
      throw fail(notSentCodes[outcome.cause], { detail: outcome.detail })
    case 'unknown':
      throw problemOfUnknown(outcome, invocation)
  }
}

export type UnknownOutcome = Extract<Outcome, { kind: 'unknown' }>

export function problemOfUnknown({ cause, detail }: UnknownOutcome, { target, id }: Invocation): ProblemError {
  return new ProblemError(unknownCodes[cause], { invocationId: id, detail, ...unsureRetry(target) })
}

function created(entity: EntityDescriptor, key: Key): HttpAnswer {
  const location = `/${entity.path}/${encodeURIComponent(String(key))}`
  return { status: 201, headers: { ...JSON_HEADERS, location }, body: stringifyExact({ key }) }
}

function returned(target: Target, value: unknown): HttpAnswer {
  const isVoid = target.kind === 'call' ? target.method.returns === undefined : target.kind === 'write-attribute'
  if (isVoid) return { status: 204, headers: {}, body: '' }
  if (target.kind === 'find') return { status: 200, headers: JSON_HEADERS, body: stringifyExact({ key: target.key }) }
  const shown = target.kind === 'read-state' ? readableState(target.entity, value) : value
  return { status: 200, headers: JSON_HEADERS, body: stringifyExact(shown) }
}

/** A runtime answers with all it has; what the operator hid stays hidden. */
function readableState(entity: EntityDescriptor, state: unknown): unknown {
  if (typeof state !== 'object' || state === null) return state
  return Object.fromEntries(Object.entries(state).filter(([name]) => entity.attributes.has(name)))
}

function raised(
  outcome: Extract<Outcome, { kind: 'raised' }>,
  target: Target,
  fail: (code: ProblemCode, fields: ProblemFields) => ProblemError,
): ProblemError {
  const declared =
    target.kind === 'call' && outcome.name !== undefined ? target.method.errors.get(outcome.name) : undefined
  return fail('method_raised', {
    detail: outcome.message,
    error: {
      ...(outcome.name === undefined ? {} : { name: outcome.name }),
      ...(outcome.data === undefined ? {} : { data: outcome.data }),
    },
    ...(declared === undefined ? {} : { status: declared.status }),
  })
}

/** What changes nothing may be asked again, whatever became of the first time. */
function unsureRetry(target: Target): { readonly retry: 'safe' } | Record<string, never> {
  return changesNothing(target) ? { retry: 'safe' } : {}
}
