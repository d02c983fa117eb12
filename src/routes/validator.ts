import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { JsonSchema } from '../entity-registry/descriptor.ts'
import { pointerSegment } from '../entity-registry/metadata-error.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import type { ProblemPlace } from './problem.ts'

/** Tells what is wrong with a value; empty when it fits. */
export type Validator = (value: unknown) => readonly ProblemPlace[]

/** A caller who sends rubbish by the thousand is told of the first twenty. */
const MAX_PLACES = 20

/** Formats of the OpenAPI registry; JSON Schema itself has none for numbers. */
const numberFormats: Readonly<Record<string, (value: number) => boolean>> = {
  int32: (value) => value >= -(2 ** 31) && value < 2 ** 31,
  int64: (value) => value >= -(2 ** 63) && value < 2 ** 63,
  float: () => true,
  double: () => true,
}

function addFormats(to: Ajv2020): void {
  formats.default(to)
  for (const [name, validate] of Object.entries(numberFormats)) to.addFormat(name, { type: 'number', validate })
}

/** Schemas that one compiler compiles. */
const COMPILED_BY_ONE = 50

/**
 * A compiler never forgets what it has compiled, and metadata is loaded again and again: after some schemas another one takes
 * over, and the first goes with the last of its validators.
 */
function createCompiler(options: Options): (schema: JsonSchema) => ValidateFunction {
  let compiler: Ajv2020 | undefined
  let count = 0
  return (schema) => {
    if (compiler === undefined || count === COMPILED_BY_ONE) {
      compiler = new Ajv2020({ allErrors: true, strict: false, logger: false, addUsedSchema: false, ...options })
      addFormats(compiler)
      count = 0
    }
    count++
    return compiler.compile(schema)
  }
}

/** No coercion, nothing removed, nothing filled in: what arrives is what was sent. */
const compile = createCompiler({ verbose: true })

/** A validator that is compiled at its first use: a thousand methods cost nothing at start. */
export function createValidator(schema: JsonSchema): Validator {
  let compiled: ValidateFunction | undefined
  return (value) => {
    compiled ??= compile(schema)
    if (compiled(value)) return []
    if (containsBigint(value) && compiled(withoutBigint(value))) return []
    return (compiled.errors ?? []).filter(isTelling).slice(0, MAX_PLACES).map(placeOf)
  }
}

/** The branches' own errors say more than "must match a schema in anyOf". */
function isTelling({ keyword }: ErrorObject, _index: number, all: readonly ErrorObject[]): boolean {
  return (keyword !== 'anyOf' && keyword !== 'oneOf') || all.length === 1
}

function placeOf(error: ErrorObject): ProblemPlace {
  const { instancePath, keyword, params, message = 'is not valid', parentSchema } = error
  if (keyword === 'required') {
    return { pointer: `#${instancePath}/${pointerSegment(params.missingProperty)}`, detail: 'is required' }
  }
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty)
    const hint = didYouMean(name, Object.keys((parentSchema?.properties as object | undefined) ?? {}))
    const detail = `is not known here${hint === undefined ? '' : `. ${hint}`}`
    return { pointer: `#${instancePath}/${pointerSegment(name)}`, detail }
  }
  if (keyword === 'enum')
    return { pointer: `#${instancePath}`, detail: `must be one of ${JSON.stringify(params.allowedValues)}` }
  return { pointer: `#${instancePath}`, detail: message }
}

function containsBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  return typeof value === 'object' && value !== null && Object.values(value).some(containsBigint)
}

const LARGEST_DOUBLE_BELOW_2_63 = 2 ** 63 - 1024

/**
 * The validator knows only doubles. Each `bigint` (64 bits at most, see `json-body.ts`) is replaced by a double on the same
 * side of every bound that a double can express.
 */
function withoutBigint(value: unknown): unknown {
  if (typeof value === 'bigint') return Math.min(Number(value), LARGEST_DOUBLE_BELOW_2_63)
  if (Array.isArray(value)) return value.map(withoutBigint)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutBigint(member)]))
}

/** Query strings, path parameters and headers of custom routes arrive as text: there, and only there, types are coerced. */
const compileForText = createCompiler({ coerceTypes: 'array', useDefaults: true })

/** Fastify's validator compiler for custom routes: strict for bodies, and compiled at first use. */
export function createRequestValidator({ schema, httpPart }: { schema: unknown; httpPart?: string }) {
  const compilePart = httpPart === 'body' ? compile : compileForText
  let compiled: ValidateFunction | undefined
  return (data: unknown) => {
    compiled ??= compilePart(schema as JsonSchema)
    const fits = compiled(data) || (httpPart === 'body' && containsBigint(data) && compiled(withoutBigint(data)))
    return fits ? { value: data } : { error: compiled.errors ?? [] }
  }
}
