import { isPromise } from 'node:util/types'
import { Type } from 'typebox'
import { DefinitionsError } from './definitions-error.ts'
import { quietenPromises } from './promises.ts'

/** What a definition must be, for those whom no compiler tells: JavaScript, and types that were cast away. */

type Members = Readonly<Record<string, unknown>>

/** @throws DefinitionsError that names the entity and the member */
export function checkSpec(spec: unknown): void {
  if (!isObject(spec)) throw new DefinitionsError('`defineEntity` takes one object with the entity’s members.')
  const { name, state, key, create, methods } = spec
  if (typeof name !== 'string') throw new DefinitionsError('An entity’s `name` must be a string.')
  const refuse = refusalOf(name)
  if (!Type.IsObject(state)) throw refuse('`state` must be a `Type.Object({…})`')
  checkTypes(state.properties, '`state`', refuse)
  if (typeof key !== 'string' || !Object.hasOwn(state.properties, key)) {
    throw refuse(`\`key\` must name an attribute of \`state\`, and ${JSON.stringify(key)} is none`)
  }
  if (!isObject(create)) throw refuse('`create` must be an object with `params` and `init`')
  checkTypes(create.params, '`create.params`', refuse)
  if (typeof create.init !== 'function') throw refuse('`create.init` must be a function')
  if (typeof methods !== 'function') throw refuse('`methods` must be a function: `(method) => ({…})`')
}

/** @throws DefinitionsError that names the entity and the method */
export function checkMethods(entity: string, methods: unknown): void {
  const refuse = refusalOf(entity)
  if (!isObject(methods) || isPromise(methods)) {
    quietenPromises(methods)
    throw refuse('`methods` must return an object')
  }
  for (const [name, made] of Object.entries(methods)) {
    if (!isObject(made) || !('spec' in made)) {
      throw refuse(`the method ${name} must be made by \`method(spec, run)\``)
    }
    const { spec, run } = made
    if (!isObject(spec)) throw refuse(`the method ${name} has no specification: \`method(spec, run)\``)
    if (typeof run !== 'function') throw refuse(`the method ${name} has no function: \`method(spec, run)\``)
    if (spec.params !== undefined) checkTypes(spec.params, `the \`params\` of ${name}`, refuse)
    if (spec.returns !== undefined && !isObject(spec.returns)) throw refuse(`the \`returns\` of ${name} must be a type`)
  }
}

type Refuse = (message: string) => DefinitionsError

function refusalOf(entity: string): Refuse {
  return (message) => new DefinitionsError(`The entity "${entity}": ${message}.`)
}

function checkTypes(types: unknown, what: string, refuse: Refuse): void {
  if (!isObject(types) || Type.IsObject(types)) {
    throw refuse(`${what} must be types by name, such as \`{ amount: Type.Integer() }\``)
  }
  for (const [name, type] of Object.entries(types)) {
    if (!isObject(type)) throw refuse(`${what}: ${name} must be a type, such as \`Type.Integer()\``)
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null
}
