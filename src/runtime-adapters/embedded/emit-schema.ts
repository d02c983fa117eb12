import { type TSchema, Type } from 'typebox'
import type { JsonSchema } from '../../entity-registry/descriptor.ts'
import { exactInteger } from '../../entity-registry/exact-json.ts'
import { JSON_TYPES, ONE_SCHEMA, SCHEMA_LIST, SCHEMAS_BY_NAME } from '../../entity-registry/schema-keywords.ts'

const ANY_NAME = '^.*$'

/**
 * A TypeBox schema → a type of the metadata document, as plain data. Integers get the bounds that a double keeps exact,
 * unless they are 64 bits wide.
 */
export function emitSchema(schema: unknown): JsonSchema {
  if (typeof schema !== 'object' || schema === null) return schema === false ? { not: {} } : {}
  const source = schema as JsonSchema
  const { type } = source
  // TypeBox has more (`bigint`, `undefined`, `Date` …) that no caller could send.
  if (typeof type === 'string' && !JSON_TYPES.includes(type)) {
    return { unsupported: type === 'bigint' ? 'bigint (Int64() is the type of 64-bit integers)' : type }
  }
  const made: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(source)) emitKeyword(made, keyword, value)
  if (type === 'integer' && source.format !== 'int64') boundInteger(made)
  return made
}

function emitKeyword(made: Record<string, unknown>, keyword: string, value: unknown): void {
  if (keyword === 'additionalItems' || value === undefined) return
  if (keyword === 'items' && Array.isArray(value)) {
    // TypeBox writes tuples as draft 7 did.
    if (value.length > 0) made.prefixItems = value.map(emitSchema)
    made.items = { not: {} }
  } else if (keyword === 'patternProperties' && isRecordOfAnyName(value)) {
    made.additionalProperties = emitSchema(value[ANY_NAME])
  } else made[keyword] = mapKeyword(keyword, value, emitSchema) ?? plainKeyword(value)
}

/** A keyword that holds schemas, with each of them mapped; `undefined` for every other keyword. */
export function mapKeyword(keyword: string, value: unknown, map: (schema: unknown) => JsonSchema): unknown {
  if (ONE_SCHEMA.has(keyword)) return typeof value === 'boolean' ? value : map(value)
  if (SCHEMA_LIST.has(keyword)) return (value as readonly unknown[]).map(map)
  return SCHEMAS_BY_NAME.has(keyword) ? mapMembers(value as JsonSchema, map) : undefined
}

/** `default`, `examples` and the like: a small `bigint` is the number that a caller would send. */
export function plainKeyword(value: unknown): unknown {
  if (typeof value === 'bigint') return exactInteger(value)
  if (Array.isArray(value)) return value.map(plainKeyword)
  return typeof value === 'object' && value !== null ? mapMembers(value as JsonSchema, plainKeyword) : value
}

function isRecordOfAnyName(value: unknown): value is { readonly [ANY_NAME]: unknown } {
  return typeof value === 'object' && value !== null && ANY_NAME in value && Object.keys(value).length === 1
}

function boundInteger(schema: Record<string, unknown>): void {
  if (schema.const !== undefined || schema.enum !== undefined) return
  if (schema.exclusiveMinimum === undefined) schema.minimum ??= Number.MIN_SAFE_INTEGER
  if (schema.exclusiveMaximum === undefined) schema.maximum ??= Number.MAX_SAFE_INTEGER
}

function mapMembers<T>(members: JsonSchema, map: (member: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, map(member)]))
}

/** Whether a member, an argument or an attribute, may be left out. */
export function isOptional(schema: TSchema): boolean {
  return Type.IsOptional(schema)
}
