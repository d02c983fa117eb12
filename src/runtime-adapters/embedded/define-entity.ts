import type { Static, TObject, TProperties, TSchema } from 'typebox'
import type { Key } from '../contract.ts'
import { checkMethods, checkSpec } from './check-definition.ts'

/**
 * How entities of the embedded runtime are written. Methods are synchronous: one call runs to its end before the next
 * begins, so nothing happens in the middle of it.
 */

export type ArgumentsOf<Params extends TProperties> = Static<TObject<Params>>
// biome-ignore lint/suspicious/noConfusingVoidType: it is only ever the return type of a method
export type ReturnOf<Returns extends TSchema | undefined> = Returns extends TSchema ? Static<Returns> : void

/** A failure that callers may meet; `EntityError` raises it by name. */
export interface ErrorSpec {
  /** 400 to 499; 422 otherwise. */
  readonly status?: number
  readonly description?: string
  readonly schema?: TSchema
}

export interface MethodSpec<Params extends TProperties, Returns extends TSchema | undefined> {
  readonly description?: string
  readonly params?: Params
  /** Left out: nothing is returned. */
  readonly returns?: Returns
  /** The method changes nothing, not even through other entities. Held: a call that does is rolled back and raises. */
  readonly readOnly?: boolean
  readonly deadlineMs?: number
  readonly errors?: Readonly<Record<string, ErrorSpec>>
  readonly examples?: readonly NoInfer<ArgumentsOf<Params>>[]
}

/** A method with its types; made by the `method` that `defineEntity` hands out. */
export interface Method<Args = unknown, Returned = unknown> {
  readonly spec: MethodSpec<TProperties, TSchema | undefined>
  readonly run: (self: never, args: never, context: CallContext) => unknown
  /** Types only; never there at run time. */
  readonly types?: { readonly args: Args; readonly returned: Returned }
}

export type Methods = Readonly<Record<string, Method>>

/** `self` is the entity's state: what a method writes into it is kept when the whole call returns. */
export type MethodMaker<State> = <
  Params extends TProperties = Record<never, never>,
  Returns extends TSchema | undefined = undefined,
>(
  spec: MethodSpec<Params, Returns>,
  run: (self: State, args: ArgumentsOf<Params>, context: CallContext) => NoInfer<ReturnOf<Returns>>,
) => Method<ArgumentsOf<Params>, ReturnOf<Returns>>

export interface EntitySpec<State extends TObject, Params extends TProperties, M extends Methods> {
  readonly name: string
  readonly description?: string
  /** The attribute that is the key. Where no constructor parameter has its name, `init` makes the key up. */
  readonly key: keyof Static<State> & string
  /** Attributes; one with a `default`, or an optional one, may be added to a definition whose entities are already stored. */
  readonly state: State
  readonly create: {
    readonly description?: string
    readonly params: Params
    readonly init: (args: ArgumentsOf<Params>) => NoInfer<Static<State>>
    readonly examples?: readonly NoInfer<ArgumentsOf<Params>>[]
  }
  readonly methods: (method: MethodMaker<Static<State>>) => M
}

/** Told apart by this mark: the module with the entities may have loaded another copy of this file. */
const MARK = Symbol.for('stateflow-gateway.EntityDefinition')

/** A defined entity; `State` and `M` are types only. */
export interface EntityDefinition<State = unknown, M extends Methods = Methods> {
  readonly [MARK]: true
  readonly name: string
  readonly description: string
  readonly key: string
  readonly state: TObject
  readonly create: {
    readonly description: string
    readonly params: TProperties
    readonly init: (args: never) => unknown
    readonly examples: readonly object[]
  }
  readonly methods: M
  readonly types?: { readonly state: State }
}

/** What a method knows of the call it is in, and its way to other entities. Of no use once the call is over. */
export interface CallContext {
  /** The invocation's id: the same for every method of one call. */
  readonly id: string
  /** The key of the entity whose method runs. */
  readonly key: Key
  /** Who calls; `undefined` where nobody was authenticated. */
  readonly principal: string | undefined
  /** Another entity, in the same call: it sees what this call has written, and is rolled back with it. */
  entity<State, M extends Methods>(definition: EntityDefinition<State, M>, key: Key): EntityHandle<State, M>
  /** The same by name, for entities that refer to themselves or to each other; arguments are checked when they are sent. */
  entity(name: string, key: Key): EntityHandle<Readonly<Record<string, unknown>>, Methods>
}

type ArgsOf<M> = M extends Method<infer Args> ? (unknown extends Args ? object : Args) : never
type ReturnedBy<M> = M extends Method<infer _Args, infer Returned> ? Returned : never

export interface EntityHandle<State, M extends Methods> {
  exists(): boolean
  /** A copy of one attribute. */
  get<Name extends keyof State & string>(attribute: Name): State[Name]
  /**
   * What it throws leaves this method too, and rolls the whole call back, unless it is caught here: then what the
   * called method wrote before it threw is kept, as with any function.
   */
  call<Name extends keyof M & string>(
    method: Name,
    ...args: object extends ArgsOf<M[Name]> ? [args?: ArgsOf<M[Name]>] : [args: ArgsOf<M[Name]>]
  ): ReturnedBy<M[Name]>
}

/** @throws DefinitionsError where the definition is none, past TypeScript */
export function defineEntity<State extends TObject, Params extends TProperties, M extends Methods>(
  spec: EntitySpec<State, Params, M>,
): EntityDefinition<Static<State>, M> {
  checkSpec(spec)
  const { name, description = '', key, state, create } = spec
  // Types end here: what the compiler has checked is run by code that knows the schemas only.
  const makeMethod = ((method, run) => ({ spec: method, run })) as MethodMaker<Static<State>>
  const methods = spec.methods(makeMethod)
  checkMethods(name, methods)
  const { params, init, description: createDescription = '', examples = [] } = create
  return Object.freeze({
    [MARK]: true as const,
    name,
    description,
    key,
    state,
    create: { params, init, description: createDescription, examples: examples as readonly object[] },
    methods,
  })
}

export function isEntityDefinition(value: unknown): value is EntityDefinition {
  return typeof value === 'object' && value !== null && MARK in value
}
