/**
 * JSON without loss: integers that a double can't hold are read as `bigint` and written digit for digit.
 * The common case (no such number in the text, none in the value) costs what `JSON` costs.
 */

/**
 * A number of 16 digits may be past 2^53, one with an exponent of three digits past the largest double. Looked for only where
 * a number can begin: ids are full of digits.
 */
const MAYBE_UNSAFE = /[:,[\s]-?(?:\d{16}|\d[\d.]*[eE]\+?\d{3})|^-?\d/
const INTEGER = /^-?\d+$/

/** What the engine passes to a reviver (ECMA-262, "JSON.parse source text access"); not yet in TypeScript's library. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

function keepDigits(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  if (!Number.isFinite(value) && !INTEGER.test(context.source ?? '')) {
    throw new SyntaxError(`the number ${context.source?.slice(0, 40)} is too large`)
  }
  return context.source !== undefined && INTEGER.test(context.source) ? BigInt(context.source) : value
}

/** Every number in this JSON text is surely one that a double holds exactly; none is read as `bigint`. */
export function isSafeJson(text: string): boolean {
  return !MAYBE_UNSAFE.test(text)
}

/** @throws SyntaxError when the text is not JSON, or has a number that no double can come near to. */
export function parseExact(text: string): unknown {
  if (isSafeJson(text)) return JSON.parse(text)
  // The library's type of a reviver lacks the third argument.
  return JSON.parse(text, keepDigits as Reviver as Parameters<typeof JSON.parse>[1])
}

// `rawJSON` is part of the same proposal.
const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown }

/** For `JSON.stringify`. */
export function writeDigits(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(String(value)) : value
}

/**
 * @param value plain JSON data with `bigint` for integers; `undefined` is written as `null`
 * @throws RangeError when the value is nested too deeply, TypeError when it is cyclic
 */
export function stringifyExact(value: unknown, indent = 0): string {
  if (value === undefined) return 'null'
  try {
    return JSON.stringify(value, null, indent)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return JSON.stringify(value, writeDigits, indent)
  }
}

/** Whether arrays and objects are nested in each other more than `limit` deep. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  for (const member of Object.values(value)) {
    if (isDeeperThan(member, limit - 1)) return true
  }
  return false
}
