import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { exactInteger } from '../../entity-registry/exact-json.ts'
import { asRecord } from '../../entity-registry/plain-record.ts'
import type { Invocation, Key, Outcome, Target } from '../contract.ts'
import type { FunctionAnswer } from './function-call.ts'
import type { MemberPlan } from './member-plan.ts'

/** What a function’s answer says of the call it answers. */
export function outcomeOf(answer: FunctionAnswer, { settings }: MemberPlan, invocation: Invocation): Outcome {
  const { target } = invocation
  switch (answer.kind) {
    case 'unreadable':
      return { kind: 'malformed', detail: answer.detail }
    case 'error':
      return failure(answer, settings.envelope.errors.get(answer.code ?? ''), target)
    case 'result':
      return success(answer, invocation)
  }
}

function failure(
  { code, message, data }: Extract<FunctionAnswer, { kind: 'error' }>,
  reason: 'entity-not-found' | 'entity-exists' | undefined,
  target: Target,
): Outcome {
  if (reason === undefined) {
    const name = code === undefined ? {} : { name: code }
    return { kind: 'raised', ...name, message, ...(data === undefined ? {} : { data }) }
  }
  // A function that has asked others may have changed them before one of them was not there.
  const mayHaveAsked = target.kind === 'call' && target.method.params.some(({ references }) => references.length > 0)
  return { kind: 'rejected', reason, detail: message, effect: mayHaveAsked ? 'partial' : 'none' }
}

function success({ value, key }: Extract<FunctionAnswer, { kind: 'result' }>, invocation: Invocation): Outcome {
  const { target } = invocation
  switch (target.kind) {
    case 'create':
      return created(target.entity, key, invocation)
    case 'find':
    case 'write-attribute':
      return { kind: 'returned', value: null }
    case 'call':
      return { kind: 'returned', value }
    case 'read-state':
      return asRecord(value) === undefined
        ? { kind: 'malformed', detail: `The state of a ${target.entity.name} is an object; this is none.` }
        : { kind: 'returned', value }
    case 'read-attribute': {
      const { name } = target.attribute
      const state = asRecord(value)
      return state !== undefined && Object.hasOwn(state, name)
        ? { kind: 'returned', value: state[name] }
        : { kind: 'malformed', detail: `The state that was answered has no "${name}".` }
    }
  }
}

/** A create was addressed by its key, so that is the key; where its arguments are no longer known, the answer must say it. */
function created(entity: EntityDescriptor, answered: unknown, { id, args }: Invocation): Outcome {
  const keyParam = entity.create?.keyParam
  const sent = keyParam === undefined ? undefined : args[keyParam]
  const fallback = keyParam === undefined && entity.key.type === 'string' ? id : undefined
  const key = asKey(sent ?? answered ?? fallback, entity.key.type)
  return key === undefined
    ? { kind: 'malformed', detail: 'The function created an entity, but does not say under which key.' }
    : { kind: 'created', key }
}

function asKey(value: unknown, type: 'string' | 'integer'): Key | undefined {
  if (type === 'string') return typeof value === 'string' && value !== '' ? value : undefined
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  return typeof value === 'string' && /^-?\d{1,40}$/.test(value) ? exactInteger(value) : undefined
}
