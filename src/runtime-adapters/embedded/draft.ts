import type { Key } from '../contract.ts'
import { showKey } from './entity-key.ts'
import { acceptAttribute, type EntityModel } from './entity-model.ts'
import { detach, isSameData } from './plain-data.ts'
import type { State } from './state-store.ts'
import { deliverTo } from './value-type.ts'

/** A method wrote what it may not write. */
export class ForbiddenWriteError extends Error {
  override readonly name = 'ForbiddenWriteError'
}

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
  /** Attributes of the target that are the method's own: written, or opened for reading inside. */
  readonly #touched = new Set<string>()

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
    for (const name of this.#touched) {
      const value = this.#target[name]
      if (value === undefined && this.model.attributes.get(name)?.optional === true) {
        if (!(name in this.#base)) continue
        next ??= { ...this.#base }
        delete next[name]
        continue
      }
      const accepted = acceptAttribute(this.model, name, value)
      if (isSameData(this.#base[name], accepted)) continue
      next ??= { ...this.#base }
      next[name] = accepted
    }
    return next
  }

  /** An attribute for another entity's method: never a way into this draft. */
  copyOf(name: string): unknown {
    const attribute = this.model.attributes.get(name)
    if (attribute === undefined) throw new TypeError(`${this.model.name} has no attribute "${name}".`)
    const value = this.#target[name]
    return value === undefined ? undefined : deliverTo(attribute, detach(value, `${this.model.name}.${name}`))
  }

  get(target: Record<string, unknown>, name: string | symbol): unknown {
    if (typeof name === 'symbol') return Reflect.get(target, name)
    const value = target[name]
    if (typeof value === 'object' && value !== null) return this.#open(name, value)
    const deliver = this.model.attributes.get(name)?.deliver
    return deliver === undefined ? value : deliver(value)
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
    if (attribute !== undefined) this.#touched.add(name)
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
    this.#touched.add(name)
    return name
  }
}
