import type { Key } from '../contract.ts'
import { quietenPromises } from './promises.ts'

/** A key as text: `42` and `"42"` are two entities, `42` and `42n` are one. */
export function keyText(key: Key): string {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'bigint' || Number.isSafeInteger(key)) return `i${key}`
  quietenPromises(key)
  throw new TypeError(`A key is a string or an exact integer, not ${typeof key === 'number' ? key : typeof key}.`)
}

/** A key as a person reads it. */
export function showKey(key: Key): string {
  return typeof key === 'string' ? JSON.stringify(key) : String(key)
}
