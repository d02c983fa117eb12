import type { EntityDescriptor, MethodDescriptor } from '../entity-registry/descriptor.ts'
import { LONGEST_TIMER_MS } from '../entity-registry/longest-timer.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import type { EntityRegistry } from '../entity-registry/registry.ts'
import type {
  Capabilities,
  Invocation,
  InvocationContext,
  Invoke,
  Key,
  Outcome,
  Target,
} from '../runtime-adapters/contract.ts'
import { policyMsOf } from './target.ts'
import { toHttp } from './to-http.ts'
import { createArgumentCheck, createKeyCheck, toInvocation } from './to-invocation.ts'

/**
 * Declare your entities here to have calls typed:
 *
 * ```ts
 * declare module 'stateflow-gateway' {
 *   interface GatewayEntities {
 *     User: { create: { username: string }; methods: { get_balance(args: object): number } }
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: users add their entities by declaration merging
export interface GatewayEntities {}

type Args = Readonly<Record<string, unknown>>
type AnyMethods = { readonly [name: string]: (args: never) => unknown }
type Declared<Name> = Name extends keyof GatewayEntities ? GatewayEntities[Name] : unknown
type MethodsOf<Name> =
  Declared<Name> extends { methods: infer M extends AnyMethods } ? M : { [name: string]: (args: Args) => unknown }
type CreateOf<Name> = Declared<Name> extends { create: infer C } ? C : Args

/** One entity, as custom routes see it. Failures are thrown as `ProblemError` and answered like those of generated routes. */
export interface EntityHandle<Name extends string = string> {
  /** The method's return value; `undefined` when it returns nothing. Integers beyond 2^53 are `bigint`. */
  call<M extends keyof MethodsOf<Name> & string>(
    method: M,
    args?: Parameters<MethodsOf<Name>[M]>[0],
    options?: CallOptions,
  ): Promise<ReturnType<MethodsOf<Name>[M]>>
  /** One attribute's value. */
  read(attribute: string, options?: CallOptions): Promise<unknown>
  /** The readable state, or `{ key }` from a runtime that can't read a whole state. */
  get(options?: CallOptions): Promise<unknown>
}

export interface CallOptions {
  /** Milliseconds; the method's or the gateway's deadline otherwise. `Infinity` is as long as a timer can wait: 24 days. */
  readonly deadlineMs?: number
  readonly context?: InvocationContext
}

export interface EntityClient {
  entity<Name extends string>(name: Name, key: Key): EntityHandle<Name>
  /** @returns the new entity's key */
  create<Name extends string>(name: Name, args: CreateOf<Name>, options?: CallOptions): Promise<Key>
}

export interface EntityClientOptions {
  readonly registry: EntityRegistry
  readonly capabilitiesOf: (entity: EntityDescriptor) => Capabilities
  readonly invoke: Invoke
  /** A fresh invocation id. */
  readonly newId: () => string
  readonly defaultDeadlineMs: number
}

/** Calls from inside the process: the same checks, the same chain and the same failures as over HTTP. */
export function createEntityClient(options: EntityClientOptions): EntityClient {
  const { registry, capabilitiesOf, invoke, newId, defaultDeadlineMs } = options
  const checkOf = madeOnce(({ params }: Pick<MethodDescriptor, 'params'>) => createArgumentCheck(params))
  const keyCheckOf = madeOnce((entity: EntityDescriptor) => createKeyCheck(entity, '#/key'))
  const run = async (target: Target, args: Args, options: CallOptions = {}): Promise<unknown> => {
    const deadlineMs = Math.min(options.deadlineMs ?? policyMsOf(target, defaultDeadlineMs), LONGEST_TIMER_MS)
    if (Number.isNaN(deadlineMs)) throw new TypeError('deadlineMs is no number.')
    const invocation = toInvocation({ id: newId(), target, args, deadlineMs, context: options.context ?? {} })
    return unwrap(await invoke(invocation), invocation)
  }
  return {
    entity(name, given) {
      const entity = known(registry, name)
      const key = keyCheckOf(entity)(given)
      const handle: EntityHandle = {
        async call(method, args, options) {
          const descriptor = methodOf(entity, method)
          return run({ kind: 'call', entity, key, method: descriptor }, checkOf(descriptor).check(args), options)
        },
        async read(attribute, options) {
          const descriptor = entity.attributes.get(attribute)
          if (descriptor === undefined)
            throw unknownName(`${name} has no attribute "${attribute}".`, attribute, entity.attributes.keys())
          return run({ kind: 'read-attribute', entity, key, attribute: descriptor }, {}, options)
        },
        get: (options) =>
          run({ kind: capabilitiesOf(entity).readState ? 'read-state' : 'find', entity, key }, {}, options),
      }
      // The declared types are the user's promise; the arguments and answers are checked against the metadata.
      return handle as EntityHandle<never>
    },
    async create(name, args, options) {
      const entity = known(registry, name)
      if (entity.create === undefined) throw new TypeError(`${name} can’t be created.`)
      return (await run({ kind: 'create', entity }, checkOf(entity.create).check(args), options)) as Key
    },
  }
}

/** To compile a check costs more than a call does. */
function madeOnce<Owner extends object, Check>(make: (owner: Owner) => Check): (owner: Owner) => Check {
  const made = new WeakMap<Owner, Check>()
  return (owner) => {
    const check = made.get(owner) ?? make(owner)
    made.set(owner, check)
    return check
  }
}

/** @throws ProblemError, made by the same table as over HTTP */
function unwrap(outcome: Outcome, invocation: Invocation): unknown {
  const { target } = invocation
  if (outcome.kind === 'returned')
    return target.kind === 'call' && target.method.returns === undefined ? undefined : outcome.value
  if (outcome.kind === 'created') return outcome.key
  return toHttp(outcome, invocation)
}

function known(registry: EntityRegistry, name: string): EntityDescriptor {
  const entity = registry.byName(name)
  if (entity === undefined)
    throw unknownName(
      `There is no entity "${name}".`,
      name,
      registry.entities.map((one) => one.name),
    )
  return entity
}

function methodOf(entity: EntityDescriptor, name: string): MethodDescriptor {
  const method = entity.methods.get(name)
  if (method === undefined) throw unknownName(`${entity.name} has no method "${name}".`, name, entity.methods.keys())
  return method
}

/** A misspelt name in a custom route is a defect of that route, not of the request. */
function unknownName(message: string, name: string, names: Iterable<string>): TypeError {
  return new TypeError([message, didYouMean(name, names) ?? ''].join(' ').trim())
}
