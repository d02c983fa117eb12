import type { ValidateFunction } from 'ajv/dist/2020.js'

/**
 * The validator knows only doubles. Each `bigint` is shown to it as a double that is of the same types and formats, and the
 * keywords that compare numbers look up the integer that it stands for (see `number-keywords.ts`).
 */

type Container = Readonly<Record<string | number, unknown>>

/** Lists and objects that are shown to the validator → those that they stand for. */
const originals = new WeakMap<object, Container>()

export function containsBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  return typeof value === 'object' && value !== null && Object.values(value).some(containsBigint)
}

/** @param compiled by keywords that ask `exactOf` */
export function fitsExactly(compiled: ValidateFunction, value: unknown): boolean {
  // A number is looked up in what it is a member of: the value itself is a member too.
  const parentData = standIn({ value }) as { readonly value: unknown }
  const rootData = parentData.value as Record<string, unknown>
  const place = { instancePath: '', parentData, parentDataProperty: 'value', rootData, dynamicAnchors: {} }
  return compiled(rootData, place)
}

/** Where a value that is shown to the validator stands. */
export interface Place {
  readonly parentData: object
  readonly parentDataProperty: string | number
}

/** What a value that is shown to the validator stands for. */
export function exactOf(shown: unknown, place: Place | undefined): unknown {
  if (typeof shown === 'object' && shown !== null) return originals.get(shown) ?? shown
  // The name of a member, which may be looked at too, is no member.
  if (typeof shown !== 'number' || place === undefined) return shown
  return originals.get(place.parentData)?.[place.parentDataProperty] ?? shown
}

function standIn(value: unknown): unknown {
  if (typeof value === 'bigint') return doubleFor(value)
  if (typeof value !== 'object' || value === null) return value
  const shown = Array.isArray(value)
    ? value.map(standIn)
    : Object.fromEntries(Object.entries(value).map(([name, member]) => [name, standIn(member)]))
  // Members are read by name or index, and only those that are there.
  originals.set(shown, value as Container)
  return shown
}

const LARGEST_DOUBLE_BELOW_2_63 = 2 ** 63 - 1024

/** Of 64 bits where the integer is, and of no format of 64 bits where it is not. */
function doubleFor(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) return Math.min(Number(value), LARGEST_DOUBLE_BELOW_2_63)
  return value < 0n ? -(2 ** 64) : 2 ** 64
}
