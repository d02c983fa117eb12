import type { Invocation, Key } from '../contract.ts'
import type { CallContext, EntityDefinition, EntityHandle, Methods } from './define-entity.ts'
import { Draft, ForbiddenWriteError, type Snapshot } from './draft.ts'
import { keyText, showKey } from './entity-key.ts'
import { acceptReturned, checkArgs, type EntityModel, type MethodModel } from './entity-model.ts'
import { EntityNotFoundError } from './error-outcome.ts'
import { ownMember } from './own-member.ts'
import { detach } from './plain-data.ts'
import { isThenable, promiseError } from './promises.ts'
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
  /** Entities that a read-only method has met, as they were before it. */
  #watched: Map<Draft, Snapshot> | undefined
  /** A read-only method has changed something: even where its caller has caught that, nothing may be kept. */
  #breach: ForbiddenWriteError | undefined
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
      if (isThenable(result)) throw promiseError(result, `${draft.model.name}.${method.name} returned`)
      return result
    } finally {
      this.#depth -= 1
    }
  }

  /** @throws when a touched state may not be stored */
  changes(): readonly Change[] {
    if (this.#breach !== undefined) throw this.#breach
    const changes: Change[] = []
    for (const draft of this.#drafts.values()) {
      const state = draft.changed()
      if (state !== undefined) changes.push({ entity: draft.model.name, key: keyText(draft.key), state })
    }
    return changes
  }

  /** Whether any entity has other values than before. What is written as it was changes nothing. */
  get hasChanged(): boolean {
    return [...this.#drafts.values()].some((draft) => !isUnchanged(draft, AS_STORED))
  }

  /** After this a method that has kept its context can’t use it. */
  end(): void {
    this.#isOver = true
  }

  #find(model: EntityModel, key: Key): Draft | undefined {
    const text = keyText(key)
    const place = `${model.name}/${text}`
    const known = this.#drafts.get(place)
    if (known !== undefined) return this.#watch(known)
    const state = this.#options.store.read(model, text)
    if (state === undefined) return undefined
    const draft = new Draft(model, key, state)
    this.#drafts.set(place, draft)
    return this.#watch(draft)
  }

  #watch(draft: Draft): Draft {
    if (this.#watched?.has(draft) === false) this.#watched.set(draft, draft.snapshot())
    return draft
  }

  /** What a method that is called in another one's read-only time does is that one's to answer for. */
  #runNested(method: MethodModel, draft: Draft, args: object): unknown {
    if (!method.readOnly || this.#watched !== undefined) return this.run(method, draft, args)
    const watched = new Map([[draft, draft.snapshot()]])
    this.#watched = watched
    try {
      return this.run(method, draft, args)
    } finally {
      this.#watched = undefined
      for (const [met, snapshot] of watched)
        if (!isUnchanged(met, snapshot)) this.#breach ??= readOnlyBreach(draft.model, method)
    }
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
    if (isThenable(args)) throw promiseError(args, `${at} was called with`)
    for (const param of method.params) {
      const value = ownMember(args as Record<string, unknown>, param.name)
      if (value !== undefined) delivered[param.name] = deliverTo(param, detach(value, `${at}: ${param.name}`))
    }
    for (const given of Object.keys(args)) {
      if (!method.params.some((param) => param.name === given)) {
        throw new WrongTypeError(`${at}: there is no argument ${given}.`)
      }
    }
    checkArgs(method.params, delivered, at)
    const result = acceptReturned(model, method, this.#runNested(method, this.draft(model, key), delivered))
    if (this.#breach !== undefined) throw this.#breach
    return method.returns === undefined ? undefined : deliverTo(method.returns, result)
  }
}

const AS_STORED: Snapshot = new Map()

/** What is no plain data was surely written. */
function isUnchanged(draft: Draft, snapshot: Snapshot): boolean {
  try {
    return draft.isAt(snapshot)
  } catch {
    return false
  }
}

export function readOnlyBreach(model: EntityModel, method: MethodModel): ForbiddenWriteError {
  return new ForbiddenWriteError(`${model.name}.${method.name} is declared read-only, but it changed something.`)
}
