import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema } from '../descriptor.ts'
import { takesValues, valuesOf } from './takes-values.ts'
import { all, some, type Verdict, verdictOf } from './verdict.ts'

/** Keywords that say nothing about values. */
const ANNOTATIONS = new Set([
  ...['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly', '$comment'],
  ...['contentEncoding', 'contentMediaType'],
])

export type Schema = JsonSchema | boolean

/**
 * Whether `outer` takes every value that `inner` takes. Sound and incomplete: `yes` and `no` are certain but for schemas that
 * contradict themselves, and everything that is not plain is `unknown`.
 */
export function covers(outer: Schema, inner: Schema): Verdict {
  const wide = plain(outer)
  const narrow = plain(inner)
  if (narrow === false || wide === true || isDeepStrictEqual(wide, narrow)) return 'yes'
  if (wide === false || narrow === true) return wide === false ? 'no' : covers(wide, { type: EVERY_TYPE })
  const values = valuesOf(narrow)
  if (values !== undefined) return takesValues(wide, values)
  const branches = branchesOf(narrow)
  if (branches !== undefined) return all(branches.map((branch) => covers(wide, branch)))
  if (narrow.allOf !== undefined) return allOfCovered(wide, narrow)
  return partsCover(wide, narrow)
}

const EVERY_TYPE = ['string', 'number', 'boolean', 'null', 'array', 'object']

/** A schema of one type, or of none, against anything. */
function partsCover(wide: JsonSchema, narrow: JsonSchema): Verdict {
  const { anyOf, oneOf, allOf, ...rest } = wide
  return all([
    anyOf === undefined ? 'yes' : some(schemasIn(anyOf).map((one) => covers(one, narrow))),
    // Of one of several exactly: whether no other takes a value is more than is looked at here.
    oneOf === undefined ? 'yes' : isDeepStrictEqual(oneOf, narrow.oneOf) ? 'yes' : 'unknown',
    all(schemasIn(allOf).map((one) => covers(one, narrow))),
    valuesOf(rest) === undefined ? constraintsCover(rest, narrow) : 'no',
  ])
}

/** Each part takes at least what all of them take. */
function allOfCovered(wide: JsonSchema, { allOf, ...rest }: JsonSchema): Verdict {
  const verdict = some([rest, ...schemasIn(allOf)].map((part) => covers(wide, part)))
  return verdict === 'yes' ? 'yes' : 'unknown'
}

function plain(schema: Schema): Schema {
  if (typeof schema === 'boolean') return schema
  const said = Object.entries(schema).filter(([word]) => !ANNOTATIONS.has(word) && !word.startsWith('x-'))
  if (said.length === 0) return true
  if (said.length === 1 && isDeepStrictEqual(schema.not, {})) return false
  return Object.fromEntries(said)
}

/** What a schema is one of: its alternatives, or its types. The rest of it holds for each; to leave it out only widens. */
function branchesOf(schema: JsonSchema): readonly Schema[] | undefined {
  const { anyOf, oneOf, ...rest } = schema
  const alternatives = anyOf ?? oneOf
  if (alternatives !== undefined) {
    return schemasIn(alternatives).map((one) => (typeof one === 'boolean' ? one : { ...rest, ...one }))
  }
  return Array.isArray(schema.type) ? schema.type.map((type: unknown) => ({ ...schema, type })) : undefined
}

/** Compiled metadata has been walked: where schemas belong, there are schemas. */
function schemasIn(list: unknown): readonly Schema[] {
  return Array.isArray(list) ? (list as readonly Schema[]) : []
}

/** Compared here; whatever else a schema says must be said by both. */
const COMPARED = new Set([
  ...['type', 'format', 'minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'multipleOf', 'enum', 'const'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems', 'items', 'minProperties', 'maxProperties'],
  ...['required', 'properties', 'additionalProperties', 'anyOf', 'oneOf', 'allOf'],
])

const NUMBER_WORDS = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum', 'multipleOf', 'format']
/** What is said of values of one type; of others it asks nothing. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: NUMBER_WORDS,
  integer: NUMBER_WORDS,
  array: ['minItems', 'maxItems', 'uniqueItems', 'items', 'prefixItems', 'contains'],
  object: [
    ...['minProperties', 'maxProperties', 'required', 'properties', 'additionalProperties'],
    ...['patternProperties', 'propertyNames'],
  ],
}
const ALL_WORDS = new Set(Object.values(WORDS).flat())

/**
 * Keyword by keyword: one that `outer` does not have asks for nothing.
 * @param inner of one type, or of none
 */
function constraintsCover(schema: JsonSchema, inner: JsonSchema): Verdict {
  const outer = aboutType(schema, inner.type)
  return all([
    typeCovers(outer.type, inner.type),
    formatCovers(outer.format, inner.format),
    lowerCovers(outer, inner),
    upperCovers(outer, inner),
    multipleCovers(outer.multipleOf, inner.multipleOf),
    ...(['minLength', 'minItems', 'minProperties'] as const).map((word) =>
      verdictOf((numberIn(outer[word]) ?? 0) <= (numberIn(inner[word]) ?? 0)),
    ),
    ...(['maxLength', 'maxItems', 'maxProperties'] as const).map((word) =>
      verdictOf((numberIn(outer[word]) ?? Infinity) >= (numberIn(inner[word]) ?? Infinity)),
    ),
    verdictOf(outer.uniqueItems !== true || inner.uniqueItems === true),
    itemsCover(outer, inner),
    membersCover(outer, inner),
    ...Object.keys(outer)
      .filter((word) => !COMPARED.has(word))
      .map((word): Verdict => (isDeepStrictEqual(outer[word], inner[word]) ? 'yes' : 'unknown')),
  ])
}

function aboutType(schema: JsonSchema, type: unknown): JsonSchema {
  if (typeof type !== 'string') return schema
  const words = WORDS[type] ?? []
  return Object.fromEntries(Object.entries(schema).filter(([word]) => !ALL_WORDS.has(word) || words.includes(word)))
}

function typeCovers(outer: unknown, inner: unknown): Verdict {
  if (outer === undefined) return 'yes'
  const types: readonly unknown[] = Array.isArray(outer) ? outer : [outer]
  return verdictOf(types.includes(inner) || (inner === 'integer' && types.includes('number')))
}

/** Formats of numbers are ranges; of texts, nobody knows what another one takes. */
const WIDER: Readonly<Record<string, readonly string[]>> = { int64: ['int32'], double: ['float', 'int32'] }

function formatCovers(outer: unknown, inner: unknown): Verdict {
  if (outer === undefined || outer === inner) return 'yes'
  if (inner === undefined) return 'no'
  return WIDER[String(outer)]?.includes(String(inner)) === true ? 'yes' : WIDER[String(inner)] ? 'no' : 'unknown'
}

interface Bound {
  readonly at: number
  readonly isOpen: boolean
}

function boundOf(closed: unknown, open: unknown, sign: 1 | -1): Bound {
  const at = sign * (numberIn(closed) ?? -sign * Infinity)
  const openAt = sign * (numberIn(open) ?? -sign * Infinity)
  return openAt >= at ? { at: openAt, isOpen: open !== undefined } : { at, isOpen: false }
}

function isLower(outer: Bound, inner: Bound): Verdict {
  return verdictOf(outer.at < inner.at || (outer.at === inner.at && (!outer.isOpen || inner.isOpen)))
}

function lowerCovers(outer: JsonSchema, inner: JsonSchema): Verdict {
  return isLower(boundOf(outer.minimum, outer.exclusiveMinimum, 1), boundOf(inner.minimum, inner.exclusiveMinimum, 1))
}

/** The same, upside down. */
function upperCovers(outer: JsonSchema, inner: JsonSchema): Verdict {
  return isLower(boundOf(outer.maximum, outer.exclusiveMaximum, -1), boundOf(inner.maximum, inner.exclusiveMaximum, -1))
}

function multipleCovers(outer: unknown, inner: unknown): Verdict {
  const step = numberIn(outer)
  if (step === undefined) return 'yes'
  const own = numberIn(inner)
  return verdictOf(own !== undefined && own % step === 0)
}

/** What `inner` says of its first items by their places is not compared with what `outer` says of all. */
function itemsCover(outer: JsonSchema, inner: JsonSchema): Verdict {
  if (outer.items === undefined) return 'yes'
  if (inner.prefixItems !== undefined && !isDeepStrictEqual(inner.prefixItems, outer.prefixItems)) return 'unknown'
  return covers(asSchema(outer.items), asSchema(inner.items))
}

function membersCover(outer: JsonSchema, inner: JsonSchema): Verdict {
  if (inner.patternProperties !== undefined) return patternedCovers(outer, inner)
  const own = membersOf(outer)
  const others = membersOf(inner)
  const names = new Set([...Object.keys(own.named), ...Object.keys(others.named)])
  return all([
    requiredCovers(outer, inner),
    ...[...names].map((name) => covers(own.named[name] ?? own.rest, others.named[name] ?? others.rest)),
    covers(own.rest, others.rest),
  ])
}

/** Which members a pattern means is not looked at: only an `outer` that says the same of them, or nothing, is compared. */
function patternedCovers(outer: JsonSchema, inner: JsonSchema): Verdict {
  const { properties, additionalProperties = true } = outer
  const isOpen = properties === undefined && additionalProperties === true
  const isSame = (['properties', 'patternProperties', 'additionalProperties'] as const).every((word) =>
    isDeepStrictEqual(outer[word], inner[word]),
  )
  return all([requiredCovers(outer, inner), isOpen || isSame ? 'yes' : 'unknown'])
}

function requiredCovers(outer: JsonSchema, inner: JsonSchema): Verdict {
  const required = new Set(namesIn(inner.required))
  return verdictOf(namesIn(outer.required).every((name) => required.has(name)))
}

function membersOf({ properties, additionalProperties }: JsonSchema) {
  // Compiled metadata has been walked: where schemas belong, there are schemas.
  const named = (properties ?? {}) as Readonly<Record<string, Schema>>
  return { named, rest: asSchema(additionalProperties) }
}

function asSchema(value: unknown): Schema {
  // As above.
  return value === undefined ? true : (value as Schema)
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
