import { checkKeywords, checkPattern, noteFormat, type Report } from './check-keywords.ts'
import type { EntityReference, JsonSchema } from './descriptor.ts'
import { asDoubleBound } from './double-bounds.ts'
import { stringifyExact } from './exact-json.ts'
import { pointerSegment } from './metadata-error.ts'
import { didYouMean } from './nearest-name.ts'
import { isRecord, type PlainRecord } from './plain-record.ts'
import { JSON_TYPES, ONE_SCHEMA, SCHEMA_LIST, SCHEMAS_BY_NAME } from './schema-keywords.ts'

/**
 * Type expressions of the metadata document → JSON Schema that can be validated, documented and sent. Whatever can't be
 * mapped is a problem at its pointer; nothing is guessed and nothing dropped.
 */

export interface TypeContext {
  /** The schema of the entity's key, or `undefined` when there is no such entity. */
  readonly keySchemaOf: (entity: string) => JsonSchema | undefined
  readonly entityNames: readonly string[]
  readonly report: Report
  /** Of what is no failure. */
  readonly note: Report
}

export interface CompiledType {
  readonly schema: JsonSchema
  readonly references: readonly EntityReference[]
}

/** All others that are known. */
const PLAIN = new Set([
  ...['type', 'format', 'enum', 'const', 'title', 'description', 'default', 'examples'],
  ...['deprecated', 'readOnly', 'writeOnly'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'uniqueItems', 'required', 'minProperties', 'maxProperties', 'contentEncoding'],
  ...['contentMediaType', '$comment'],
])
const KEYWORDS = [...ONE_SCHEMA, ...SCHEMA_LIST, ...SCHEMAS_BY_NAME, ...PLAIN]

export function compileType(expression: unknown, pointer: string, context: TypeContext): CompiledType {
  const references: EntityReference[] = []
  const schema = walk(expression, { pointer, path: [], context, references })
  return { schema: typeof schema === 'boolean' ? (schema ? {} : { not: {} }) : schema, references }
}

interface Place {
  readonly pointer: string
  /** Where the value stands in the argument, see `EntityReference.path`. */
  readonly path: readonly string[]
  readonly context: TypeContext
  readonly references: EntityReference[]
}

function walk(expression: unknown, place: Place): JsonSchema | boolean {
  if (typeof expression === 'boolean') return expression
  if (!isRecord(expression)) {
    place.context.report(place.pointer, 'expected a JSON Schema object.')
    return {}
  }
  if ('unsupported' in expression) {
    const text = JSON.stringify(expression.unsupported)
    place.context.report(
      `${place.pointer}/unsupported`,
      `the exporter could not express the type ${text}.`,
      'Give it a type that JSON can carry, or hide the member in the overrides file.',
    )
    return {}
  }
  return 'entity' in expression ? referenceSchema(expression, place) : objectSchema(expression, place)
}

function referenceSchema(expression: PlainRecord, place: Place): JsonSchema {
  const { context, pointer } = place
  const name = String(expression.entity)
  const key = context.keySchemaOf(name)
  if (key === undefined) {
    context.report(`${pointer}/entity`, `there is no entity "${name}".`, didYouMean(name, context.entityNames))
    return {}
  }
  place.references.push({ entity: name, path: place.path })
  const description = typeof expression.description === 'string' ? expression.description : `The key of an ${name}.`
  return { ...key, description: description.replace(/\ban (?=[^aeiouAEIOU])/, 'a ') }
}

function objectSchema(expression: JsonSchema, place: Place): JsonSchema {
  const schema: Record<string, unknown> = {}
  const plain: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(expression)) {
    const at = { ...place, pointer: `${place.pointer}/${pointerSegment(keyword)}` }
    if (ONE_SCHEMA.has(keyword)) schema[keyword] = walk(value, { ...at, path: [...place.path, '*'] })
    else if (SCHEMA_LIST.has(keyword)) schema[keyword] = walkList(value, at, keyword)
    else if (SCHEMAS_BY_NAME.has(keyword)) schema[keyword] = walkNamed(value, at, keyword)
    else if (PLAIN.has(keyword)) schema[keyword] = plain[keyword] = asDoubleBound(keyword, value)
    else if (keyword.startsWith('x-')) schema[keyword] = value
    else reportKeyword(keyword, at)
  }
  checkPlain(plain, place)
  return bounded(closed(schema))
}

function checkPlain({ type, ...rest }: Record<string, unknown>, place: Place): void {
  const { pointer, context } = place
  const isType = checkType(type, place)
  const within =
    (report: Report): Report =>
    (at, message, hint) =>
      report(`${pointer}${at}`, message, hint)
  checkKeywords(type === undefined || !isType ? rest : { type, ...rest }, within(context.report))
  noteFormat(rest.format, within(context.note))
}

function walkList(value: unknown, place: Place, keyword: string): unknown {
  if (!Array.isArray(value) || value.length === 0) {
    place.context.report(place.pointer, 'expected a list of schemas.')
    return []
  }
  const inner = (index: number) => (keyword === 'prefixItems' ? [...place.path, String(index)] : place.path)
  return value.map((item, index) => walk(item, { ...place, pointer: `${place.pointer}/${index}`, path: inner(index) }))
}

function walkNamed(value: unknown, place: Place, keyword: string): unknown {
  if (!isRecord(value)) {
    place.context.report(place.pointer, 'expected schemas by name.')
    return {}
  }
  if (keyword === 'patternProperties') {
    for (const name of Object.keys(value)) {
      checkPattern(name, `${place.pointer}/${pointerSegment(name)}`, place.context.report)
    }
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      walk(item, { ...place, pointer: `${place.pointer}/${pointerSegment(name)}`, path: [...place.path, name] }),
    ]),
  )
}

function reportKeyword(keyword: string, { pointer, context }: Place): void {
  const hint =
    keyword === '$ref' || keyword === '$defs'
      ? 'Write the referenced schema in its place: types are checked without looking elsewhere.'
      : didYouMean(keyword, KEYWORDS)
  context.report(pointer, `the keyword "${keyword}" is not one this gateway can check.`, hint)
}

/** @returns whether every name is one of a type */
function checkType(type: unknown, { pointer, context }: Place): boolean {
  if (type === undefined) return true
  const names: readonly unknown[] = Array.isArray(type) ? type : [type]
  const unknown = names.filter((name) => typeof name !== 'string' || !JSON_TYPES.includes(name))
  for (const name of unknown) {
    context.report(`${pointer}/type`, `${stringifyExact(name)} is not a type.`, didYouMean(String(name), JSON_TYPES))
  }
  return unknown.length === 0
}

/** An object that names its members takes no others, unless it says so. */
function closed(schema: Record<string, unknown>): Record<string, unknown> {
  if (schema.properties === undefined || schema.additionalProperties !== undefined) return schema
  return { ...schema, additionalProperties: schema.patternProperties !== undefined }
}

/** Integers are 64 bits wide unless the metadata names another format. */
function bounded(schema: Record<string, unknown>): Record<string, unknown> {
  const integer = schema.type === 'integer' || (Array.isArray(schema.type) && schema.type.includes('integer'))
  if (!integer || schema.format !== undefined || schema.enum !== undefined || schema.const !== undefined) return schema
  return { ...schema, format: 'int64' }
}
