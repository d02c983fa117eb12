import type { Key } from '../contract.ts'
import { showKey } from './entity-key.ts'
import { acceptAttribute, type EntityModel, isFilledIn } from './entity-model.ts'
import { ownMember } from './own-member.ts'
import { detach, isSameData } from './plain-data.ts'
import { quietenPromises } from './promises.ts'
import type { State } from './state-store.ts'
import { deliverTo } from './value-type.ts'

/** A method wrote what it may not write. */
export class ForbiddenWriteError extends Error {
  override readonly name = 'ForbiddenWriteError'
}

/** See `Draft.snapshot`. */
export type Snapshot = ReadonlyMap<string, unknown>

/**
 * One entity's state during one call, and the `self` that methods see of it: copied attribute by attribute, when it is
 * first needed. A large list that a call never looks at costs nothing.
 */
export class Draft implements ProxyHandler<Record<string, unknown>> {
  readonly model: EntityModel
  readonly key: Key
  /** For the methods; the base is never changed through it. */
  readonly self: Record<string, unknown>
  readonly #base: State
  readonly #target: Record<string, unknown>
  /** Attributes of the target that are the method's own. */
  readonly #touched = new Map<string, 'opened' | 'written'>()

  constructor(model: EntityModel, key: Key, base: State) {
    this.model = model
    this.key = key
    this.#base = base
    this.#target = { ...base }
    this.self = new Proxy(this.#target, this)
  }

  /** The state after the call; `undefined` when nothing in it has changed. @throws when it may not be stored */
  changed(): State | undefined {
    let next: Record<string, unknown> | undefined
    for (const name of this.#touched.keys()) {
      const value = ownMember(this.#target, name)
      if (value === undefined && this.model.attributes.get(name)?.optional === true) {
        if (!Object.hasOwn(this.#base, name)) continue
        next ??= { ...this.#base }
        delete next[name]
        continue
      }
      const accepted = this.#accept(name, value)
      if (isSameData(ownMember(this.#base, name), accepted) && !this.#isFirstWrite(name)) continue
      next ??= { ...this.#base }
      next[name] = accepted
    }
    return next
  }

  /** What methods have made of the attributes so far, to be compared with later: detached data. */
  snapshot(): Snapshot {
    return new Map([...this.#touched.keys()].map((name) => [name, this.#dataOf(name)]))
  }

  /** Whether the attributes have the values that they had then. */
  isAt(snapshot: Snapshot): boolean {
    const before = (name: string) => (snapshot.has(name) ? snapshot.get(name) : ownMember(this.#base, name))
    return [...this.#touched.keys()].every((name) => isSameData(before(name), this.#dataOf(name)))
  }

  /** An attribute for another entity's method: never a way into this draft. */
  copyOf(name: string): unknown {
    const attribute = this.model.attributes.get(name)
    if (attribute === undefined) throw new TypeError(`${this.model.name} has no attribute "${name}".`)
    const value = this.#dataOf(name)
    return value === undefined ? undefined : deliverTo(attribute, value)
  }

  get(target: Record<string, unknown>, name: string | symbol): unknown {
    if (typeof name === 'symbol') return Reflect.get(target, name)
    const value = target[name]
    if (typeof value === 'object' && value !== null) return this.#open(name, value)
    const attribute = this.model.attributes.get(name)
    // An optional attribute that isn't there may have a name that every object inherits.
    if (typeof value === 'function' && attribute !== undefined) return ownMember(target, name)
    return attribute?.deliver === undefined ? value : attribute.deliver(value)
  }

  set(target: Record<string, unknown>, name: string | symbol, value: unknown): boolean {
    target[this.#writable(name)] = value
    return true
  }

  deleteProperty(target: Record<string, unknown>, name: string | symbol): boolean {
    delete target[this.#writable(name)]
    return true
  }

  getOwnPropertyDescriptor(target: Record<string, unknown>, name: string | symbol): PropertyDescriptor | undefined {
    if (typeof name === 'string' && Object.hasOwn(target, name)) target[name] = this.get(target, name)
    return Reflect.getOwnPropertyDescriptor(target, name)
  }

  defineProperty(): boolean {
    return false
  }

  setPrototypeOf(): boolean {
    return false
  }

  preventExtensions(): boolean {
    return false
  }

  #open(name: string, value: object): unknown {
    if (this.#touched.has(name) || !Object.hasOwn(this.#target, name)) return value
    const attribute = this.model.attributes.get(name)
    const copy = detach(value, name)
    const own = attribute === undefined ? copy : deliverTo(attribute, copy)
    this.#target[name] = own
    if (attribute !== undefined) this.#touched.set(name, 'opened')
    return own
  }

  #writable(name: string | symbol): string {
    const { model, key } = this
    if (typeof name === 'symbol' || !model.attributes.has(name)) {
      throw new ForbiddenWriteError(`${model.name} has no attribute "${String(name)}".`)
    }
    if (name === model.key) {
      throw new ForbiddenWriteError(`${model.name} ${showKey(key)}: the key "${name}" can’t be changed.`)
    }
    this.#touched.set(name, 'written')
    return name
  }

  /** What is written is stored, even where today's default was the same. */
  #isFirstWrite(name: string): boolean {
    return this.#touched.get(name) === 'written' && isFilledIn(this.#base, name)
  }

  #accept(name: string, value: unknown): unknown {
    try {
      return acceptAttribute(this.model, name, value)
    } catch (error) {
      quietenPromises(this.#target)
      throw error
    }
  }

  #dataOf(name: string): unknown {
    const value = ownMember(this.#target, name)
    return value === undefined ? undefined : detach(value, `${this.model.name}.${name}`)
  }
}
