import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { JsonSchema } from '../../entity-registry/descriptor.ts'
import { emitSchema, mapKeyword } from './emit-schema.ts'

/** A value is not of the type that the entity declares for it. */
export class WrongTypeError extends Error {
  override readonly name = 'WrongTypeError'
}

/** One declared type, made ready for many values. */
export interface ValueType {
  /** As it stands in the metadata. */
  readonly schema: JsonSchema
  /**
   * Detached data as the entity's code sees it: 64-bit integers as `bigint`, floats as `number` however large. May
   * change the given data, which nobody else has. `undefined`: as it is.
   */
  readonly deliver: Deliver | undefined
  /** @throws WrongTypeError where a delivered value does not fit; `at` is what the value is called there */
  check(value: unknown, at: string): void
}

type Deliver = (value: unknown) => unknown

export function compileValueType(source: TSchema): ValueType {
  const schema = emitSchema(source)
  let compiled: ReturnType<typeof Compile> | undefined
  return {
    schema,
    deliver: compileDeliver(schema),
    check(value, at) {
      compiled ??= Compile(checkSchema(schema))
      if (compiled.Check(value)) return
      const [first] = compiled.Errors(value)
      const place = `${at}${(first?.instancePath ?? '').replaceAll('/', '.')}`
      throw new WrongTypeError(`${place} ${first?.message ?? 'is of the wrong type'}.`)
    },
  }
}

/** The data of one type, from detached data. */
export function deliverTo({ deliver }: ValueType, value: unknown): unknown {
  return deliver === undefined ? value : deliver(value)
}

function compileDeliver(schema: JsonSchema): Deliver | undefined {
  if (schema.format === 'int64') return (value) => (Number.isInteger(value) ? BigInt(value as number) : value)
  if (schema.type === 'number') return (value) => (typeof value === 'bigint' ? Number(value) : value)
  return firstOf([
    compileUnion((schema.anyOf ?? []) as JsonSchema[]),
    compileUnion((schema.oneOf ?? []) as JsonSchema[]),
    ...((schema.allOf ?? []) as JsonSchema[]).map(compileDeliver),
    compileItems(schema),
    compileMembers(schema),
  ])
}

/** In a union of integers and floats the first branch that changes the value has it. */
function firstOf(made: readonly (Deliver | undefined)[]): Deliver | undefined {
  const steps = made.filter((step) => step !== undefined)
  const [first, ...others] = steps
  if (first === undefined || others.length === 0) return first
  return (value) => {
    for (const step of steps) {
      const made = step(value)
      if (made !== value) return made
    }
    return value
  }
}

/** A list or an object that several branches could have is delivered to each as a copy, until it fits. */
function compileUnion(schemas: readonly JsonSchema[]): Deliver | undefined {
  const steps = schemas.map(compileDeliver)
  const toAny = firstOf(steps)
  if (toAny === undefined) return undefined
  const branches = schemas.map((schema, index) => ({ schema, step: steps[index], fits: compileFit(schema) }))
  const toLists = branches.filter(({ schema }) => canBe(schema, 'array'))
  const toObjects = branches.filter(({ schema }) => canBe(schema, 'object'))
  return (value) => {
    if (typeof value !== 'object' || value === null) return toAny(value)
    const candidates = Array.isArray(value) ? toLists : toObjects
    return candidates.length > 1 ? deliverToFitting(candidates, value) : (candidates[0]?.step?.(value) ?? value)
  }
}

interface Branch {
  readonly step: Deliver | undefined
  readonly fits: (value: unknown) => boolean
}

function deliverToFitting(branches: readonly Branch[], value: unknown): unknown {
  for (const { step, fits } of branches) {
    const delivered = step === undefined ? value : step(copyOf(value))
    if (fits(delivered)) return delivered
  }
  return value
}

function canBe({ type, const: constant, enum: values }: JsonSchema, wanted: 'array' | 'object'): boolean {
  if (constant !== undefined || values !== undefined) return false
  return type === undefined || (Array.isArray(type) ? type.includes(wanted) : type === wanted)
}

function compileFit(schema: JsonSchema): (value: unknown) => boolean {
  let compiled: ReturnType<typeof Compile> | undefined
  return (value) => {
    compiled ??= Compile(checkSchema(schema))
    return compiled.Check(value)
  }
}

/** Unlike `detach` it leaves integers as they are: some of the value may have been delivered already. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyOf(member)]))
}

function compileItems({ prefixItems = [], items }: JsonSchema): Deliver | undefined {
  const heads = (prefixItems as JsonSchema[]).map(compileDeliver)
  const rest = typeof items === 'object' && items !== null ? compileDeliver(items as JsonSchema) : undefined
  if (rest === undefined && heads.every((head) => head === undefined)) return undefined
  return (value) => {
    if (!Array.isArray(value)) return value
    for (const [index, item] of value.entries()) {
      const step = index < heads.length ? heads[index] : rest
      if (step !== undefined) value[index] = step(item)
    }
    return value
  }
}

function compileMembers({
  properties = {},
  patternProperties = {},
  additionalProperties,
}: JsonSchema): Deliver | undefined {
  const named = new Map(
    Object.entries(properties as JsonSchema).map(([name, one]) => [name, compileDeliver(one as JsonSchema)]),
  )
  const patterns = Object.entries(patternProperties as JsonSchema).map(
    ([pattern, one]) => [new RegExp(pattern, 'u'), compileDeliver(one as JsonSchema)] as const,
  )
  const rest =
    typeof additionalProperties === 'object' && additionalProperties !== null
      ? compileDeliver(additionalProperties as JsonSchema)
      : undefined
  const all = [...named.values(), ...patterns.map(([, step]) => step), rest]
  if (all.every((step) => step === undefined)) return undefined
  const stepOf = (name: string) =>
    named.has(name) ? named.get(name) : (patterns.find(([pattern]) => pattern.test(name))?.[1] ?? rest)
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    for (const [name, member] of Object.entries(value)) {
      const step = stepOf(name)
      // A `__proto__` of one's own, as JSON may have it, is never written by assignment.
      if (step !== undefined && name !== '__proto__') (value as Record<string, unknown>)[name] = step(member)
    }
    return value
  }
}

/** TypeBox compiles a bound to a double: both of these are exact, 2^63 - 1 would not be. */
const INT64_BOUND = 2n ** 63n
const KEY = { anyOf: [{ type: 'string' }, { type: 'integer' }, { type: 'bigint' }] }

/** The same type for TypeBox's own validator, which knows `bigint`. */
function checkSchema(value: unknown): JsonSchema {
  if (typeof value !== 'object' || value === null) return value === false ? { not: {} } : {}
  const schema = value as JsonSchema
  if (schema.entity !== undefined) return KEY
  if (schema.format === 'int64') return int64CheckSchema(schema)
  const made: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).map(([keyword, own]) => [keyword, mapKeyword(keyword, own, checkSchema) ?? own]),
  )
  // As the rest of the gateway has it: an object that names its members takes no others.
  if (schema.properties !== undefined) made.additionalProperties ??= schema.patternProperties !== undefined
  return made
}

function int64CheckSchema({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): JsonSchema {
  const bound = (keyword: string, value: unknown) =>
    value === undefined ? {} : { [keyword]: BigInt(value as number | bigint) }
  return {
    type: 'bigint',
    ...bound('minimum', minimum ?? -INT64_BOUND),
    ...bound('maximum', maximum),
    ...bound('exclusiveMinimum', exclusiveMinimum),
    ...bound('exclusiveMaximum', exclusiveMaximum ?? INT64_BOUND),
  }
}
