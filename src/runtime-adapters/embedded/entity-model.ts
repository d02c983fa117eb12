import type { TProperties } from 'typebox'
import type { JsonSchema } from '../../entity-registry/descriptor.ts'
import type { CallContext, EntityDefinition, Methods } from './define-entity.ts'
import { isOptional } from './emit-schema.ts'
import { ownMember } from './own-member.ts'
import { detach } from './plain-data.ts'
import type { State } from './state-store.ts'
import { compileValueType, deliverTo, type ValueType, WrongTypeError } from './value-type.ts'

/** A definition made ready to run: its schemas compiled, its types gone. */
export interface EntityModel {
  readonly name: string
  readonly key: string
  readonly attributes: ReadonlyMap<string, AttributeModel>
  readonly create: {
    readonly params: ParamsModel
    /** Whether the argument of the key's name is the key. */
    readonly takesKey: boolean
    readonly init: (args: object) => unknown
  }
  readonly methods: ReadonlyMap<string, MethodModel>
}

export interface AttributeModel extends ValueType {
  readonly optional: boolean
  /** For states stored before the attribute was there, unless it is optional; `undefined`: none. */
  readonly fallback: unknown
}

export interface MethodModel {
  readonly name: string
  readonly readOnly: boolean
  readonly params: ParamsModel
  /** `undefined`: nothing is returned. */
  readonly returns: ValueType | undefined
  readonly run: (self: object, args: object, context: CallContext) => unknown
}

export type ParamsModel = readonly ParamModel[]

interface ParamModel extends ValueType {
  readonly name: string
  readonly optional: boolean
}

export function compileModel({ name, key, state, create, methods }: EntityDefinition): EntityModel {
  return {
    name,
    key,
    attributes: new Map(
      Object.entries(state.properties).map(([attribute, source]) => {
        const type = compileValueType(source)
        return [attribute, { ...type, optional: isOptional(source), fallback: type.schema.default }]
      }),
    ),
    create: {
      params: compileParams(create.params),
      takesKey: Object.hasOwn(create.params, key),
      // `defineEntity` has checked that the function takes what its schemas say.
      init: create.init as (args: object) => unknown,
    },
    methods: new Map(Object.entries(methods).map((entry) => [entry[0], compileMethod(entry)])),
  }
}

function compileMethod([name, { spec, run }]: readonly [string, Methods[string]]): MethodModel {
  return {
    name,
    readOnly: spec.readOnly ?? false,
    params: compileParams(spec.params ?? {}),
    returns: spec.returns === undefined ? undefined : compileValueType(spec.returns),
    // As above.
    run: run as MethodModel['run'],
  }
}

function compileParams(params: TProperties): ParamsModel {
  return Object.entries(params).map(([name, source]) => ({
    ...compileValueType(source),
    name,
    optional: isOptional(source),
  }))
}

/** Arguments that were checked at the edge, as copies that a method may keep and change. */
export function deliverArgs(params: ParamsModel, args: Readonly<Record<string, unknown>>): object {
  const made: Record<string, unknown> = {}
  for (const param of params) {
    const value = ownMember(args, param.name)
    if (value !== undefined) made[param.name] = deliverTo(param, detach(value, param.name))
  }
  return made
}

/** Arguments that one entity sends another: nobody has checked them yet. @throws WrongTypeError */
export function checkArgs(params: ParamsModel, args: object, at: string): void {
  for (const param of params) {
    const value = ownMember(args as Readonly<Record<string, unknown>>, param.name)
    if (value !== undefined) param.check(value, `${at}: the argument ${param.name}`)
    else if (!param.optional) throw new WrongTypeError(`${at}: the argument ${param.name} is missing.`)
  }
}

/** One attribute of a new state, checked: detached data. @throws NotPlainDataError, WrongTypeError */
export function acceptAttribute(model: EntityModel, name: string, value: unknown): unknown {
  const attribute = model.attributes.get(name)
  const at = `${model.name}.${name}`
  if (attribute === undefined) throw new WrongTypeError(`${model.name} has no attribute "${name}".`)
  return acceptValue(attribute, value, at)
}

function acceptValue(type: ValueType, value: unknown, at: string): unknown {
  const plain = detach(value, at)
  const isCopied = type.deliver !== undefined && typeof plain === 'object'
  // What is delivered may be changed by it, so nested data is copied once more.
  type.check(deliverTo(type, isCopied ? detach(plain, at) : plain), at)
  return plain
}

/** What a method returned, checked: detached data; `undefined` where nothing is returned. @throws NotPlainDataError, WrongTypeError */
export function acceptReturned(model: EntityModel, { name, returns }: MethodModel, result: unknown): unknown {
  return returns && acceptValue(returns, result, `the value that ${model.name}.${name} returned`)
}

/** A whole new state, checked and detached. @throws NotPlainDataError, WrongTypeError */
export function acceptState(model: EntityModel, value: unknown): State {
  if (typeof value !== 'object' || value === null) {
    throw new WrongTypeError(
      `${model.name}: \`init\` must return the state, not ${value === null ? 'null' : typeof value}.`,
    )
  }
  const state: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined && model.attributes.get(name)?.optional === true) continue
    state[name] = acceptAttribute(model, name, member)
  }
  for (const [name, { optional }] of model.attributes) {
    if (!optional && !Object.hasOwn(state, name)) throw new WrongTypeError(`${model.name}.${name} is missing.`)
  }
  return state
}

/** What a stored state must look like; equal texts, equal demands. */
export function shapeOf({ key, attributes }: EntityModel): JsonSchema {
  return {
    key,
    attributes: Object.fromEntries([...attributes].map(([name, { schema, optional }]) => [name, { schema, optional }])),
  }
}

/** What is stored of a state that defaults were added to. */
const storedOf = new WeakMap<State, State>()

/** A stored state with the defaults of attributes that came later. One that is optional isn't there until it is written. */
export function completeState({ attributes }: EntityModel, state: State): State {
  let made: Record<string, unknown> | undefined
  for (const [name, { fallback, optional }] of attributes) {
    if (fallback === undefined || optional || Object.hasOwn(state, name)) continue
    made ??= { ...state }
    made[name] = detach(fallback, name)
  }
  if (made === undefined) return state
  storedOf.set(made, state)
  return made
}

/** Whether the attribute’s value is today's default, which nobody has written. */
export function isFilledIn(state: State, name: string): boolean {
  const stored = storedOf.get(state)
  return stored !== undefined && !Object.hasOwn(stored, name)
}
