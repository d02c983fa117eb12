import type { JsonSchema, ParameterDescriptor } from '../entity-registry/descriptor.ts'
import { parseBody } from './json-body.ts'
import { createValidator } from './validator.ts'

/** Arguments of a safe method in a query string: text for strings, JSON for everything else. */

type Args = Readonly<Record<string, unknown>>
type ReadText = (value: unknown) => unknown

/** Reads a query as it is documented; whether its arguments fit is for others to check. */
export function createQueryReader(params: readonly ParameterDescriptor[]): (query: Args) => Args {
  const readers = new Map(params.map(({ name, schema }) => [name, createReader(schema)]))
  return (query) =>
    Object.fromEntries(Object.entries(query).map(([name, value]) => [name, (readers.get(name) ?? fromJson)(value)]))
}

/** Whether a query has it as clients write it by themselves: a text, or its name once for each item of a list. */
export function isWrittenPlainly(schema: JsonSchema): boolean {
  return isScalar(schema) || (schema.type === 'array' && isScalar(schema.items))
}

const SCALARS: readonly unknown[] = ['string', 'integer', 'number', 'boolean', 'null']

/** Nothing but texts, numbers, booleans and null fits it. */
function isScalar(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  const { type, enum: values, anyOf, oneOf, ...rest } = schema as JsonSchema
  if (type !== undefined) return [type].flat().every((name) => SCALARS.includes(name))
  const branches = anyOf ?? oneOf
  if (Array.isArray(branches)) return branches.every(isScalar)
  const listed = Array.isArray(values) ? values : 'const' in rest ? [rest.const] : [{}]
  return listed.every((value) => typeof value !== 'object' || value === null)
}

function createReader(schema: JsonSchema): ReadText {
  if (schema.type === 'string') return (value) => value
  if (schema.type === 'array') return createListReader(schema)
  if (typeof schema.type === 'string') return fromJson
  const validate = createValidator(schema)
  const isFit = (value: unknown): boolean => validate(value).length === 0
  return (value) => {
    const read = fromJson(value)
    // `123` is a text too, where numbers don't fit.
    return read !== value && !isFit(read) && isFit(value) ? value : read
  }
}

/** A list of what is no plain text may also come as one JSON text. */
function createListReader({ items }: JsonSchema): ReadText {
  const isPlain = isScalar(items)
  const read = createReader(typeof items === 'object' && items !== null ? (items as JsonSchema) : {})
  return (value) => {
    if (Array.isArray(value)) return value.map(isPlain ? read : fromJson)
    if (isPlain) return [read(value)]
    const whole = fromJson(value)
    return Array.isArray(whole) ? whole : [whole]
  }
}

function fromJson(value: unknown): unknown {
  // An empty text is no JSON, and no argument left out.
  if (typeof value !== 'string' || value === '') return value
  try {
    return parseBody(Buffer.from(value))
  } catch {
    return value
  }
}
