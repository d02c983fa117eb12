import { _, type Ajv2020, type AnySchemaObject, type KeywordCxt, type KeywordDefinition } from 'ajv/dist/2020.js'
import type { JsonSchema } from '../entity-registry/descriptor.ts'
import { stringifyExact } from '../entity-registry/exact-json.ts'
import { exactOf } from './bigint-stand-ins.ts'
import { canonical } from './canonical-json.ts'

/** JSON Schema's keywords for numbers, laid over the validator's own where those know only doubles. */

const NOT_OF_64_BITS = 'must be integer of 64 bits'

/** Integers are 64 bits wide, as they are in digits; a format of integers says so already. */
export function limitIntegers(compiler: Ajv2020): void {
  compiler.removeKeyword('type')
  compiler.addKeyword({
    keyword: 'type',
    error: { message: NOT_OF_64_BITS },
    code(context: KeywordCxt) {
      const { data, parentSchema } = context
      if (!isUnlimitedInteger(parentSchema)) return
      context.fail(_`typeof ${data} == "number" && (${data} >= ${2 ** 63} || ${data} < ${-(2 ** 63)})`)
    },
  })
}

/** Numbers that were text: an integer has all its digits, any other number is not infinite. */
export function limitToDoubles(compiler: Ajv2020): void {
  compiler.removeKeyword('type')
  compiler.addKeyword({
    keyword: 'type',
    error: { message: 'must be number that a double can hold' },
    code(context: KeywordCxt) {
      const { data, parentSchema } = context
      const says = typesOf(parentSchema)
      const largest = says.includes('number') ? Number.MAX_VALUE : Number.MAX_SAFE_INTEGER
      if (!says.includes('number') && !says.includes('integer')) return
      context.fail(_`typeof ${data} == "number" && (${data} > ${largest} || ${data} < ${-largest})`)
    },
  })
}

function isUnlimitedInteger(schema: AnySchemaObject): boolean {
  const says = typesOf(schema)
  return says.includes('integer') && !says.includes('number') && schema.format !== 'int32' && schema.format !== 'int64'
}

function typesOf({ type }: AnySchemaObject): readonly unknown[] {
  return Array.isArray(type) ? type : [type]
}

type Exact = number | bigint
type Comparison<Schema, Value> = (schema: Schema, parentSchema: AnySchemaObject) => (value: Value) => boolean

const bounds: Readonly<Record<string, Comparison<number, Exact>>> = {
  minimum: (bound) => (value) => value >= bound,
  maximum: (bound) => (value) => value <= bound,
  exclusiveMinimum: (bound) => (value) => value > bound,
  exclusiveMaximum: (bound) => (value) => value < bound,
  multipleOf: (divisor) => (value) =>
    typeof value === 'bigint' ? isMultiple(value, divisor) : Number.isInteger(value / divisor),
}

const equalities: Readonly<Record<string, Comparison<unknown, unknown>>> = {
  const: (expected) => {
    const text = exactText(expected)
    return (value) => exactText(value) === text
  },
  enum: (expected) => {
    const texts = new Set((expected as readonly unknown[]).map(exactText))
    return (value) => texts.has(exactText(value))
  },
}

const types: Comparison<unknown, unknown> = (_type, schema) => {
  const isLimited = isUnlimitedInteger(schema)
  return (value) => !isLimited || typeof value !== 'number' || (value >= -(2 ** 63) && value < 2 ** 63)
}

const uniqueness: Comparison<boolean, readonly unknown[]> = (isAsked) => (items) =>
  !isAsked || new Set(items.map(exactText)).size === items.length

/** For values with `bigint`, see `fitsExactly`. */
export function compareExactly(compiler: Ajv2020): void {
  for (const [keyword, comparison] of Object.entries({ ...bounds, ...equalities }))
    replace(compiler, keyword, comparison)
  replace(compiler, 'type', types, NOT_OF_64_BITS)
  replace(compiler, 'uniqueItems', uniqueness, 'must NOT have duplicate items')
}

function replace<Schema, Value>(
  compiler: Ajv2020,
  keyword: string,
  comparison: Comparison<Schema, Value>,
  message?: string,
): void {
  // The validator's own keywords are there.
  const { type = [], error } = compiler.getKeyword(keyword) as KeywordDefinition
  compiler.removeKeyword(keyword)
  compiler.addKeyword({
    keyword,
    type,
    ...(message === undefined ? { error } : { error: { message } }),
    compile(schema: Schema, parentSchema) {
      const fits = comparison(schema, parentSchema)
      // The keyword is asked only about values of its type.
      return (data, place) => fits(exactOf(data, place) as Value)
    },
  } as KeywordDefinition)
}

/** One text for equal values: integers have all their digits, however they are held. */
function exactText(value: unknown): string {
  return canonical(value, (scalar) =>
    Number.isInteger(scalar) ? String(BigInt(scalar as number)) : stringifyExact(scalar),
  )
}

/** A divisor with a fraction is the decimal that was written, not the double nearest to it. */
function isMultiple(value: bigint, divisor: number): boolean {
  if (Number.isInteger(divisor)) return value % BigInt(divisor) === 0n
  const [mantissa = '', exponent = '0'] = String(divisor).split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  // Below 2^53, or it would have no fraction: its exponent is not positive.
  const scale = 10n ** BigInt(fraction.length - Number(exponent))
  return (value * scale) % BigInt(whole + fraction) === 0n
}

const COMPARING = Object.keys(bounds)
const TAKING_WHAT_DOES_NOT_FIT = ['if', 'oneOf', 'contains']

/**
 * Whether the validator's own keywords may take a value because they have overlooked a `bigint` in it. All others refuse what is
 * no number to them.
 */
export function mayOverlookBigint(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  const { type, not } = schema as JsonSchema
  const has = (keyword: string) => keyword in schema
  if (TAKING_WHAT_DOES_NOT_FIT.some(has) || (type === undefined && COMPARING.some(has))) return true
  // `{ not: {} }` takes nothing.
  if (typeof not === 'object' && not !== null && Object.keys(not).length > 0) return true
  return Object.values(schema).some(mayOverlookBigint)
}
