import type { Invocation, Key, Outcome, Target } from '../contract.ts'
import { ForbiddenWriteError } from './draft.ts'
import { EntityCall, readOnlyBreach } from './entity-call.ts'
import { keyText, showKey } from './entity-key.ts'
import { acceptReturned, acceptState, deliverArgs, type EntityModel } from './entity-model.ts'
import { EntityNotFoundError, outcomeOfError } from './error-outcome.ts'
import { ownMember } from './own-member.ts'
import { detach } from './plain-data.ts'
import { isThenable, promiseError, quietenPromises } from './promises.ts'
import type { State, StateStore } from './state-store.ts'
import { deliverTo } from './value-type.ts'

export interface Runtime {
  readonly models: ReadonlyMap<string, EntityModel>
  readonly store: StateStore
}

/** What came of a call, and whether the store was given something by it. */
export interface Executed {
  readonly outcome: Outcome
  readonly hasWritten: boolean
  /** What was thrown, where something was. */
  readonly error?: unknown
}

/** Runs one call to its end. Nothing is written unless all of it succeeded; never throws. */
export function execute(runtime: Runtime, invocation: Invocation): Executed {
  const { entity } = invocation.target
  const model = runtime.models.get(entity.name)
  if (model === undefined) return unserved(`no entity "${entity.name}" is defined`)
  try {
    return perform(runtime, model, invocation)
  } catch (error) {
    return { outcome: outcomeOfError(error), hasWritten: false, error }
  }
}

function perform(runtime: Runtime, model: EntityModel, invocation: Invocation): Executed {
  const { target } = invocation
  switch (target.kind) {
    case 'create':
      return create(runtime, model, invocation)
    case 'find':
      stateOf(runtime, model, target.key)
      return returned(null)
    case 'read-state':
      return returned(detach(stateOf(runtime, model, target.key), model.name))
    case 'read-attribute':
      return readAttribute(runtime, model, target)
    case 'write-attribute':
      return writeAttribute(runtime, model, invocation, target)
    case 'call':
      return callMethod(runtime, model, invocation, target)
  }
}

function returned(value: unknown, hasWritten = false): Executed {
  return { outcome: { kind: 'returned', value }, hasWritten }
}

function unserved(detail: string): Executed {
  return { outcome: { kind: 'not-sent', cause: 'runtime-unavailable', detail: `${detail}.` }, hasWritten: false }
}

function stateOf({ store }: Runtime, model: EntityModel, key: Key): State {
  const state = store.read(model, keyText(key))
  if (state === undefined) throw new EntityNotFoundError(`There is no ${model.name} ${showKey(key)}.`)
  return state
}

function create({ store }: Runtime, model: EntityModel, { args }: Invocation): Executed {
  const { takesKey } = model.create
  const exists = (key: Key): Executed => ({
    outcome: {
      kind: 'rejected',
      reason: 'entity-exists',
      detail: `There is already a ${model.name} ${showKey(key)}.`,
      effect: 'none',
    },
    hasWritten: false,
  })
  const asked = takesKey ? detach(ownMember(args, model.key), model.key) : undefined
  if (isKey(asked) && store.read(model, keyText(asked)) !== undefined) return exists(asked)
  const state = initialState(model, args)
  const key = ownMember(state, model.key)
  if (!isKey(key)) throw new TypeError(`${model.name}.${model.key} is the key; it must be a string or an integer.`)
  if (takesKey && key !== asked) {
    throw new ForbiddenWriteError(`${model.name}: \`init\` made the key ${showKey(key)} of another argument.`)
  }
  if (store.read(model, keyText(key)) !== undefined) return exists(key)
  store.write([{ entity: model.name, key: keyText(key), state }])
  return { outcome: { kind: 'created', key }, hasWritten: true }
}

function initialState(model: EntityModel, args: Invocation['args']): State {
  const { params, init } = model.create
  const made = init(deliverArgs(params, args))
  if (isThenable(made)) throw promiseError(made, `${model.name}: \`init\` returned`)
  try {
    return acceptState(model, made)
  } catch (error) {
    quietenPromises(made)
    throw error
  }
}

function isKey(value: unknown): value is Key {
  return (typeof value === 'string' && value !== '') || typeof value === 'bigint' || Number.isSafeInteger(value)
}

function readAttribute(runtime: Runtime, model: EntityModel, target: TargetOf<'read-attribute'>): Executed {
  const { name } = target.attribute
  if (!model.attributes.has(name)) return unserved(`${model.name} has no attribute "${name}"`)
  return returned(detach(ownMember(stateOf(runtime, model, target.key), name) ?? null, name))
}

type TargetOf<Kind extends Target['kind']> = Extract<Target, { kind: Kind }>

function writeAttribute(
  runtime: Runtime,
  model: EntityModel,
  invocation: Invocation,
  target: TargetOf<'write-attribute'>,
): Executed {
  const { name } = target.attribute
  const attribute = model.attributes.get(name)
  if (attribute === undefined) return unserved(`${model.name} has no attribute "${name}"`)
  const call = new EntityCall({ ...runtime, invocation })
  const { self } = call.draft(model, target.key)
  if (target.value === null && attribute.optional) delete self[name]
  else self[name] = deliverTo(attribute, detach(target.value, name))
  const changes = call.changes()
  runtime.store.write(changes)
  return returned(null, changes.length > 0)
}

function callMethod(runtime: Runtime, model: EntityModel, invocation: Invocation, target: TargetOf<'call'>): Executed {
  const method = model.methods.get(target.method.name)
  if (method === undefined) return unserved(`${model.name} has no method "${target.method.name}"`)
  const call = new EntityCall({ ...runtime, invocation })
  try {
    const draft = call.draft(model, target.key)
    const result = call.run(method, draft, deliverArgs(method.params, invocation.args))
    const value = acceptReturned(model, method, result) ?? null
    if (method.readOnly) {
      if (call.hasChanged) throw readOnlyBreach(model, method)
      return returned(value)
    }
    const changes = call.changes()
    if (changes.length > 0) runtime.store.write(changes)
    return returned(value, changes.length > 0)
  } finally {
    call.end()
  }
}
