import { isDeepStrictEqual } from 'node:util'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonSchema } from '../descriptor.ts'
import { stringifyExact } from '../exact-json.ts'
import type { Verdict } from './verdict.ts'

/** The values that a schema lists; `undefined`: it lists none. */
export function valuesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const]
  return Array.isArray(schema.enum) ? schema.enum : undefined
}

/** Whether a schema takes each of some values. */
export function takesValues(schema: JsonSchema, values: readonly unknown[]): Verdict {
  const own = valuesOf(schema)
  if (own !== undefined) {
    if (!values.every((value) => own.some((one) => isDeepStrictEqual(one, value)))) return 'no'
    if (Object.keys(schema).every((word) => word === 'enum' || word === 'const')) return 'yes'
  }
  const text = stringifyExact(schema)
  const check = compile(schema)
  if (!values.every((value) => check(value))) return 'no'
  return UNCHECKED_FORMAT.test(text) ? 'unknown' : 'yes'
}

const UNCHECKED_FORMAT = /"format":"(?!(?:int32|int64|float|double)")/

/** Schemas that one compiler compiles: it never forgets one, and metadata is loaded again and again. */
const COMPILED_BY_ONE = 200
let compiler: Ajv2020 | undefined
let count = 0

function compile(schema: JsonSchema): ValidateFunction {
  if (compiler === undefined || count === COMPILED_BY_ONE) {
    compiler = createCompiler()
    count = 0
  }
  count++
  return compiler.compile(schema)
}

/** Compiled metadata has been checked. Formats of numbers are ranges; others are left to the verdict. */
function createCompiler(): Ajv2020 {
  const made = new Ajv2020({ strict: false, validateSchema: false, logger: false, addUsedSchema: false })
  made.addFormat('int32', { type: 'number', validate: (value) => value >= -(2 ** 31) && value < 2 ** 31 })
  made.addFormat('int64', { type: 'number', validate: (value) => value >= -(2 ** 63) && value < 2 ** 63 })
  return made
}
