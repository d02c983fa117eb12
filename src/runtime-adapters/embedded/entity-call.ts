import type { Invocation, Key } from '../contract.ts'
import type { CallContext, EntityDefinition, EntityHandle, Methods } from './define-entity.ts'
import { Draft } from './draft.ts'
import { keyText, showKey } from './entity-key.ts'
import { checkArgs, type EntityModel, type MethodModel } from './entity-model.ts'
import { EntityNotFoundError } from './error-outcome.ts'
import { detach } from './plain-data.ts'
import type { Change, StateStore } from './state-store.ts'
import { deliverTo, WrongTypeError } from './value-type.ts'

/** Entities may call each other in a ring; the ring ends here. */
const MAX_DEPTH = 64

/** Methods called each other too deep. */
export class CallDepthError extends Error {
  override readonly name = 'CallDepthError'
}

export interface EntityCallOptions {
  readonly models: ReadonlyMap<string, EntityModel>
  readonly store: StateStore
  readonly invocation: Invocation
}

/** One call with every entity it touches: an overlay over the store that is committed whole or dropped whole. */
export class EntityCall {
  readonly #options: EntityCallOptions
  readonly #drafts = new Map<string, Draft>()
  #depth = 0
  #isOver = false

  constructor(options: EntityCallOptions) {
    this.#options = options
  }

  /** @throws EntityNotFoundError */
  draft(model: EntityModel, key: Key): Draft {
    const draft = this.#find(model, key)
    if (draft === undefined) throw new EntityNotFoundError(`There is no ${model.name} ${showKey(key)}.`)
    return draft
  }

  run(method: MethodModel, draft: Draft, args: object): unknown {
    if (this.#depth === MAX_DEPTH) throw new CallDepthError(`Methods called each other more than ${MAX_DEPTH} deep.`)
    this.#depth += 1
    try {
      const result = method.run(draft.self, args, this.#contextOf(draft))
      if (isThenable(result)) throw asynchronous(draft.model, method, result)
      return result
    } finally {
      this.#depth -= 1
    }
  }

  /** @throws when a touched state may not be stored */
  changes(): readonly Change[] {
    const changes: Change[] = []
    for (const draft of this.#drafts.values()) {
      const state = draft.changed()
      if (state !== undefined) changes.push({ entity: draft.model.name, key: keyText(draft.key), state })
    }
    return changes
  }

  /** After this a method that has kept its context can’t use it. */
  end(): void {
    this.#isOver = true
  }

  #find(model: EntityModel, key: Key): Draft | undefined {
    const text = keyText(key)
    const place = `${model.name}/${text}`
    const known = this.#drafts.get(place)
    if (known !== undefined) return known
    const state = this.#options.store.read(model, text)
    if (state === undefined) return undefined
    const draft = new Draft(model, key, state)
    this.#drafts.set(place, draft)
    return draft
  }

  #contextOf({ key }: Draft): CallContext {
    const { id, context } = this.#options.invocation
    // The handle works by schemas; `CallContext` gives it the types that `defineEntity` was given.
    const entity = (target: EntityDefinition | string, other: Key) =>
      this.#handle(typeof target === 'string' ? target : target.name, other)
    return { id, key, principal: context.principal, entity: entity as CallContext['entity'] }
  }

  #handle(name: string, key: Key): EntityHandle<Readonly<Record<string, unknown>>, Methods> {
    if (this.#isOver) throw new Error('This call is over: a method may not keep its context.')
    const model = this.#options.models.get(name)
    if (model === undefined) throw new TypeError(`There is no entity "${name}".`)
    return {
      exists: () => this.#find(model, key) !== undefined,
      get: (attribute) => this.draft(model, key).copyOf(attribute),
      call: (method, args = {}) => this.#callOther(model, key, { method, args: args as object }) as never,
    }
  }

  #callOther(model: EntityModel, key: Key, { method: name, args }: { method: string; args: object }): unknown {
    if (this.#isOver) throw new Error('This call is over: a method may not keep its context.')
    const method = model.methods.get(name)
    if (method === undefined) throw new TypeError(`${model.name} has no method "${name}".`)
    const at = `${model.name}.${name}`
    const delivered: Record<string, unknown> = {}
    for (const param of method.params) {
      const value = (args as Record<string, unknown>)[param.name]
      if (value !== undefined) delivered[param.name] = deliverTo(param, detach(value, `${at}: ${param.name}`))
    }
    for (const given of Object.keys(args)) {
      if (!method.params.some((param) => param.name === given)) {
        throw new WrongTypeError(`${at}: there is no argument ${given}.`)
      }
    }
    checkArgs(method.params, delivered, at)
    return this.run(method, this.draft(model, key), delivered)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function asynchronous(model: EntityModel, method: MethodModel, result: PromiseLike<unknown>): TypeError {
  // Whatever becomes of it, it must not end the process as an unhandled rejection.
  result.then(undefined, () => undefined)
  return new TypeError(`${model.name}.${method.name} returned a promise; methods must be synchronous.`)
}
