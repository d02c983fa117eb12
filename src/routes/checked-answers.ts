import type { EntityDescriptor, JsonSchema } from '../entity-registry/descriptor.ts'
import type { Invocation, Invoke, Outcome, Target } from '../runtime-adapters/contract.ts'
import { createValidator, type Validator } from './validator.ts'

/** Descriptors live as long as the registry; so do their validators. */
const validators = new WeakMap<JsonSchema, Validator>()

function validatorOf(schema: JsonSchema): Validator {
  const known = validators.get(schema)
  if (known !== undefined) return known
  const made = createValidator(schema)
  validators.set(schema, made)
  return made
}

/** @param onUnusable told of each answer that nobody can use, whoever found that out */
export function withCheckedAnswers(
  invoke: Invoke,
  onUnusable?: (invocation: Invocation, detail: string) => void,
): Invoke {
  // Not an async function: its frame would be kept for as long as the call waits.
  return (invocation) =>
    invoke(invocation).then((outcome) => {
      const checked = checkedOutcome(outcome, invocation)
      if (checked.kind === 'malformed') onUnusable?.(invocation, checked.detail)
      return checked
    })
}

/** An answer that is not what the metadata promises is not passed on: the metadata is older than the code, or the reply is another's. */
export function checkedOutcome(outcome: Outcome, { target }: Invocation): Outcome {
  if (outcome.kind === 'created') return checkedKey(outcome)
  if (outcome.kind !== 'returned') return outcome
  if (target.kind === 'call' && target.method.returns === undefined) {
    if (outcome.value === null || outcome.value === undefined) return outcome
    return {
      kind: 'malformed',
      detail: `${target.method.name} returned something; its metadata says it returns nothing.`,
    }
  }
  const schema = answerSchema(target)
  const [wrong] = schema === undefined ? [] : validatorOf(schema)(outcome.value)
  if (wrong === undefined) return outcome
  return { kind: 'malformed', detail: `The answer does not fit the metadata at ${wrong.pointer}: ${wrong.detail}.` }
}

function checkedKey(outcome: Extract<Outcome, { kind: 'created' }>): Outcome {
  const { key } = outcome
  if (typeof key !== 'string' || key.isWellFormed()) return outcome
  return { kind: 'malformed', detail: 'The key of what was created has an unpaired surrogate: no address can name it.' }
}

/** What a successful answer to this target looks like; `undefined` where it has no body. */
export function answerSchema(target: Target): JsonSchema | undefined {
  switch (target.kind) {
    case 'call':
      return target.method.returns
    case 'read-attribute':
      return target.attribute.schema
    case 'read-state':
      return stateSchema(target.entity)
    case 'create':
    case 'find':
    case 'write-attribute':
      return undefined
  }
}

const stateSchemas = new WeakMap<EntityDescriptor, JsonSchema>()

/** The readable state of an entity as one object. */
export function stateSchema(entity: EntityDescriptor): JsonSchema {
  const known = stateSchemas.get(entity)
  if (known !== undefined) return known
  const schema = {
    type: 'object',
    properties: Object.fromEntries([...entity.attributes.values()].map(({ name, schema }) => [name, schema])),
  }
  stateSchemas.set(entity, schema)
  return schema
}
