import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema } from '../descriptor.ts'
import { constraintsCover } from './schema-constraints.ts'
import { takesValues, valuesOf } from './takes-values.ts'
import { all, some, type Verdict } from './verdict.ts'

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
    valuesOf(rest) === undefined ? constraintsCover(rest, narrow, covers) : 'no',
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
