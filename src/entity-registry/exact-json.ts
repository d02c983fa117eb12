/**
 * JSON without loss: integers that a double can't hold are read as `bigint` and written digit for digit.
 * The common case (no such number in the text, none in the value) costs what `JSON` costs.
 */

/**
 * Which spellings are read as integers. Runtimes and stores write integers in digits; a point or an exponent says that a number of
 * theirs is a float. A caller's JSON library may write an integer as `9007199254740993.0` or `1e18`: of what callers send, each number
 * of 64 bits without a fraction is an integer, however it is written. What is larger, and not in digits, is no integer of 64 bits,
 * and stays a double.
 */
export type IntegerSpelling = 'digits' | 'any'

/**
 * A number of 16 digits may be past 2^53, one with an exponent of three digits past the largest double; where an exponent may make an
 * integer, one of one digit can be enough. Looked for only where a number can begin: ids are full of digits.
 */
const MAYBE_UNSAFE: Readonly<Record<IntegerSpelling, RegExp>> = {
  digits: /[:,[\s]-?(?:\d{16}|\d[\d.]*[eE]\+?\d{3})|^-?\d/,
  any: /[:,[\s]-?(?:\d{16}|\d[\d.]*[eE]\+?\d)|^-?\d/,
}
const INTEGER = /^-?\d+$/

/** What the engine passes to a reviver (ECMA-262, "JSON.parse source text access"); not yet in TypeScript's library. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value
  if (INTEGER.test(source)) return BigInt(source)
  if (!Number.isFinite(value)) throw tooLarge(source)
  return value
}

/** What is far beyond 64 bits is refused unread: the time to read an integer grows faster than its digits. */
function keepIntegers(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value
  if (!Number.isFinite(value)) throw tooLarge(source)
  if (INTEGER.test(source)) return BigInt(source)
  const exact = isLargeInteger(value) ? integerIn(source) : undefined
  return exact !== undefined && BigInt.asIntN(64, exact) === exact ? exact : value
}

function tooLarge(source: string): SyntaxError {
  return new SyntaxError(`the number ${source.slice(0, 40)} is too large`)
}

/** As doubles go: past what is exact, and not past 64 bits. */
function isLargeInteger(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) <= 2 ** 63
}

/**
 * @param source with a point, an exponent or both; its value is at most 2^63, so that its exponent adds few zeros
 * @returns `undefined` when there is a fraction
 */
function integerIn(source: string): bigint | undefined {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.')
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  if (/[1-9]/.test(digits.slice(point))) return undefined
  const integer = BigInt(digits.slice(0, point).padEnd(point, '0').replace(/^0+/, ''))
  return source.startsWith('-') ? -integer : integer
}

/** @param digits of an integer */
export function exactInteger(digits: string | bigint): number | bigint {
  const double = Number(digits)
  return Number.isSafeInteger(double) ? double : BigInt(digits)
}

const revivers: Readonly<Record<IntegerSpelling, Reviver>> = { digits: keepDigits, any: keepIntegers }

/** Every number in this JSON text is surely one that a double holds exactly, or a float; none is read as `bigint`. */
export function isSafeJson(text: string, integers: IntegerSpelling = 'digits'): boolean {
  return !MAYBE_UNSAFE[integers].test(text)
}

/**
 * @throws SyntaxError when the text is not JSON, or has a number that no double can come near to
 * @throws RangeError when it may have large numbers and is nested too deeply to look at each
 */
export function parseExact(text: string, integers: IntegerSpelling = 'digits'): unknown {
  if (isSafeJson(text, integers)) return JSON.parse(text)
  // The library's type of a reviver lacks the third argument.
  return JSON.parse(text, revivers[integers] as Parameters<typeof JSON.parse>[1])
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
