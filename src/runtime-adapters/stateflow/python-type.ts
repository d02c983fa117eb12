import type { JsonSchema } from '../../entity-registry/descriptor.ts'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { isRecord } from '../../entity-registry/plain-record.ts'

/**
 * JSON has one kind of number and one kind of list, Python has two of each. The schema says which is meant: a method
 * annotated `float` gets a float for 5, one annotated `int` an exact int, one annotated `Tuple` a tuple.
 */
export type PythonValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: number | bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly TypedValue[] }
  | { readonly kind: 'dict'; readonly members: readonly (readonly [string, TypedValue])[] }

export interface TypedValue {
  readonly value: unknown
  readonly schema: unknown
}

/** One level of a value; its items and members are looked at when they are written. `undefined` is written as None. */
export function asPython({ value, schema }: TypedValue): PythonValue {
  if (value === null || value === undefined) return { kind: 'none' }
  if (typeof value === 'boolean') return { kind: 'bool', value }
  if (typeof value === 'string') return { kind: 'text', value }
  const chosen = chooseSchema(schema, value)
  if (typeof value === 'number' || typeof value === 'bigint') return asNumber(value, chosen)
  if (Array.isArray(value)) return asSequence(value, chosen)
  if (isRecord(value)) return asDict(value, chosen)
  throw new TypeError(`A ${typeof value} is not JSON data.`)
}

function asNumber(value: number | bigint, { type }: JsonSchema): PythonValue {
  const types = Array.isArray(type) ? type : [type]
  const saysInteger = types.includes('integer')
  const isFloat = !saysInteger && types.includes('number')
  if (typeof value === 'bigint') {
    const double = Number(value)
    return isFloat && Number.isFinite(double) ? { kind: 'float', value: double } : { kind: 'int', value }
  }
  if (Number.isSafeInteger(value) && !isFloat) return { kind: 'int', value }
  // From a custom route: what callers send beyond 2^53 is read as bigint.
  if (saysInteger && Number.isInteger(value)) return { kind: 'int', value: BigInt(value) }
  return { kind: 'float', value }
}

function asSequence(value: readonly unknown[], schema: JsonSchema): PythonValue {
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : undefined
  const items = value.map((item, index) => ({ value: item, schema: prefix?.[index] ?? schema.items }))
  return { kind: prefix === undefined ? 'list' : 'tuple', items }
}

function asDict(value: Readonly<Record<string, unknown>>, schema: JsonSchema): PythonValue {
  const properties = isRecord(schema.properties) ? schema.properties : {}
  const schemaOf = (name: string) => (Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties)
  return {
    kind: 'dict',
    members: Object.entries(value).map(([name, member]) => [name, { value: member, schema: schemaOf(name) }]),
  }
}

/** The schema without its alternatives: of `anyOf` and `oneOf` the first one that takes the value, `allOf` laid together. */
function chooseSchema(schema: unknown, value: unknown): JsonSchema {
  if (!isRecord(schema)) return {}
  const alternatives = [schema.anyOf, schema.oneOf].find(Array.isArray)
  if (alternatives !== undefined) {
    const fitting = alternatives.find((alternative) => fits(alternative, value))
    return fitting === undefined ? schema : chooseSchema(fitting, value)
  }
  if (!Array.isArray(schema.allOf)) return schema
  return Object.assign({}, schema, ...schema.allOf.map((part: unknown) => chooseSchema(part, value)))
}

/** Enough of JSON Schema to tell alternatives apart; that the value is valid was checked at the edge. */
export function fits(schema: unknown, value: unknown): boolean {
  if (!isRecord(schema)) return schema !== false
  if (schema.const !== undefined && !isSameScalar(schema.const, value)) return false
  if (Array.isArray(schema.enum) && !schema.enum.some((item) => isSameScalar(item, value))) return false
  const { type } = schema
  if (type !== undefined && !(Array.isArray(type) ? type : [type]).some((name) => isOfType(name, value))) return false
  const alternatives = [schema.anyOf, schema.oneOf].find(Array.isArray)
  if (alternatives?.some((alternative) => fits(alternative, value)) === false) return false
  return Array.isArray(value) ? itemsFit(schema, value) : !isRecord(value) || membersFit(schema, value)
}

function itemsFit(schema: JsonSchema, items: readonly unknown[]): boolean {
  const prefix = Array.isArray(schema.prefixItems) ? schema.prefixItems : []
  return items.every((item, index) => fits(prefix[index] ?? schema.items, item))
}

function membersFit(schema: JsonSchema, members: Readonly<Record<string, unknown>>): boolean {
  const { required, additionalProperties } = schema
  if (Array.isArray(required) && !required.every((name) => Object.hasOwn(members, String(name)))) return false
  const properties = isRecord(schema.properties) ? schema.properties : {}
  return Object.entries(members).every(([name, member]) =>
    fits(Object.hasOwn(properties, name) ? properties[name] : additionalProperties, member),
  )
}

/** A number of an enum may have been read as `bigint`, and an enum’s list or object is compared by its text. */
function isSameScalar(expected: unknown, value: unknown): boolean {
  if (typeof value === 'bigint') return Number.isInteger(expected) && BigInt(Number(expected)) === value
  return typeof value === 'object' ? stringifyExact(expected) === stringifyExact(value) : expected === value
}

function isOfType(type: unknown, value: unknown): boolean {
  if (value === null) return type === 'null'
  if (Array.isArray(value)) return type === 'array'
  if (typeof value === 'bigint' || Number.isInteger(value)) return type === 'integer' || type === 'number'
  return type === typeof value
}
