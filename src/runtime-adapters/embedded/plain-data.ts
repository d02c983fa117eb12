import { isDeepStrictEqual } from 'node:util'
import { exactInteger } from '../../entity-registry/exact-json.ts'
import { quietenPromises } from './promises.ts'

/** A value that is not plain JSON data, and where in it. Nothing of it is stored or answered. */
export class NotPlainDataError extends Error {
  override readonly name = 'NotPlainDataError'
}

const MAX_DEPTH = 100

/**
 * A copy that shares nothing with `value`, in the one form that JSON text would give back: integers are `number` up to
 * 2^53 and `bigint` beyond, -0 is 0.
 * @param at what the value is called in an error, e.g. `Item.stock`
 * @throws NotPlainDataError for everything that JSON can't carry: `undefined`, NaN, functions, dates, maps, cycles
 */
export function detach(value: unknown, at: string): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  try {
    return copy(value, [at])
  } catch (error) {
    quietenPromises(value)
    throw error
  }
}

function copy(value: unknown, path: string[]): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return copyNumber(value, path)
    case 'bigint':
      return exactInteger(value)
    case 'object':
      if (value === null) return null
      if (path.length > MAX_DEPTH) throw fault(path.slice(0, 1), `is cyclic, or nested more than ${MAX_DEPTH} deep`)
      return Array.isArray(value) ? copyArray(value, path) : copyObject(value, path)
    case 'undefined':
    case 'function':
    case 'symbol':
      throw fault(path, `is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`)
  }
}

function copyNumber(value: number, path: string[]): unknown {
  // The sum turns -0 into 0.
  if (Number.isSafeInteger(value)) return value + 0
  if (!Number.isFinite(value)) throw fault(path, `is ${value}`)
  // JSON writes a large double without an exponent below 1e21; read again, those digits are an exact integer.
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? BigInt(String(value)) : value
}

function copyArray(values: readonly unknown[], path: string[]): unknown[] {
  const made: unknown[] = []
  for (let index = 0; index < values.length; index += 1) {
    path.push(String(index))
    made.push(copy(values[index], path))
    path.pop()
  }
  return made
}

function copyObject(value: object, path: string[]): object {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw fault(path, `is of the class ${value.constructor?.name ?? 'unknown'}`)
  }
  const made: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    path.push(name)
    const copied = copy(member, path)
    path.pop()
    // An assignment to this one name would set the prototype.
    if (name === '__proto__') Object.defineProperty(made, name, { ...WRITABLE, value: copied })
    else made[name] = copied
  }
  return made
}

const WRITABLE = { writable: true, enumerable: true, configurable: true }

function fault(path: readonly string[], what: string): NotPlainDataError {
  return new NotPlainDataError(`${path.join('.')} ${what}; entities keep and return plain JSON data.`)
}

/** Whether two values made by `detach` are the same data. */
export function isSameData(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === 'object' && typeof other === 'object' && isDeepStrictEqual(one, other))
}
