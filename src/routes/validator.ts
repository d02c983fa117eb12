import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { JsonSchema } from '../entity-registry/descriptor.ts'
import { pointerSegment } from '../entity-registry/metadata-error.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import { containsBigint, fitsExactly } from './bigint-stand-ins.ts'
import { compareExactly, limitIntegers, limitToDoubles, mayOverlookBigint } from './number-keywords.ts'
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
function createCompiler(
  options: Options,
  layOver: (compiler: Ajv2020) => void,
): (schema: JsonSchema) => ValidateFunction {
  let compiler: Ajv2020 | undefined
  let count = 0
  return (schema) => {
    if (compiler === undefined || count === COMPILED_BY_ONE) {
      compiler = new Ajv2020({ allErrors: true, strict: false, logger: false, addUsedSchema: false, ...options })
      addFormats(compiler)
      layOver(compiler)
      count = 0
    }
    count++
    return compiler.compile(schema)
  }
}

const compileUsual = createCompiler({ verbose: true }, limitIntegers)
/** Whether a member is an object's own is asked only where it may matter: it would double the cost of a usual check. */
const compileOwn = createCompiler({ verbose: true, ownProperties: true }, limitIntegers)

/** No coercion, nothing removed, nothing filled in: what arrives is what was sent. */
function compile(schema: JsonSchema): ValidateFunction {
  return namesInherited(schema) ? compileOwn(schema) : compileUsual(schema)
}

/** Whether anything in a schema has the name of a member that every object inherits, such as `constructor`. */
function namesInherited(schema: unknown): boolean {
  if (typeof schema === 'string') return schema in Object.prototype
  if (typeof schema !== 'object' || schema === null) return false
  return Object.entries(schema).some(([name, inner]) => name in Object.prototype || namesInherited(inner))
}

/** The same for values with `bigint`: each number is looked up where it is compared. */
const compileExact = createCompiler({ verbose: true, ownProperties: true }, compareExactly)

const NO_ERRORS: readonly ErrorObject[] = []

/** Compiled at its first use: a thousand methods cost nothing at start. */
function createCheck(schema: JsonSchema): (value: unknown) => readonly ErrorObject[] {
  let compiled: ValidateFunction | undefined
  let compiledExact: ValidateFunction | undefined
  let isLookedThrough = false
  return (value) => {
    if (compiled === undefined) {
      compiled = compile(schema)
      isLookedThrough = mayOverlookBigint(schema)
    }
    const fits = compiled(value)
    if (fits && !isLookedThrough) return NO_ERRORS
    if (!containsBigint(value)) return fits ? NO_ERRORS : (compiled.errors ?? NO_ERRORS)
    compiledExact ??= compileExact(schema)
    return fitsExactly(compiledExact, value) ? NO_ERRORS : (compiledExact.errors ?? NO_ERRORS)
  }
}

export function createValidator(schema: JsonSchema): Validator {
  const check = createCheck(schema)
  return (value) => {
    const errors = check(value)
    return errors.length === 0 ? [] : errors.filter(isTelling).slice(0, MAX_PLACES).map(placeOf)
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

/** Query strings, path parameters and headers of custom routes arrive as text: there, and only there, types are coerced. */
const compileForText = createCompiler({ coerceTypes: 'array', useDefaults: true }, limitToDoubles)

/** Fastify's validator compiler for custom routes: strict for bodies, and compiled at first use. */
export function createRequestValidator({ schema, httpPart }: { schema: unknown; httpPart?: string }) {
  const check = httpPart === 'body' ? createCheck(schema as JsonSchema) : createTextCheck(schema as JsonSchema)
  return (data: unknown) => {
    const error = check(data)
    return error.length === 0 ? { value: data } : { error: [...error] }
  }
}

function createTextCheck(schema: JsonSchema): (data: unknown) => readonly ErrorObject[] {
  let compiled: ValidateFunction | undefined
  return (data) => {
    compiled ??= compileForText(schema)
    return compiled(data) ? NO_ERRORS : (compiled.errors ?? NO_ERRORS)
  }
}
