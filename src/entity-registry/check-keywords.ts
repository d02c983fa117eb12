import { formatNames } from 'ajv-formats/dist/formats.js'
import type { JsonSchema } from './descriptor.ts'
import { schemaProblems } from './load-metadata.ts'
import { messageOf } from './message-of.ts'
import { didYouMean } from './nearest-name.ts'
import { operatorSchemas } from './operator-schemas.ts'

export type Report = (pointer: string, message: string, hint?: string) => void

const FORMATS: ReadonlySet<unknown> = new Set(formatNames)

/**
 * What can't be compiled is found at the start, not by the first call.
 * @param schema without the schemas in it
 * @param report pointers begin at the schema
 */
export function checkKeywords(schema: JsonSchema, report: Report): void {
  if (!operatorSchemas.validateSchema(schema)) reportViolations(report)
  if (typeof schema.pattern === 'string') checkPattern(schema.pattern, '/pattern', report)
  if (Array.isArray(schema.enum) && schema.enum.length === 0) report('/enum', 'must NOT have fewer than 1 items.')
  for (const keyword of ['const', 'enum']) {
    if (containsBigint(schema[keyword])) report(`/${keyword}`, 'has a number that a double can’t hold.')
  }
}

function reportViolations(report: Report): void {
  // Of `type`, the only keyword there with an `enum`: it is one, or a list of them, and the list says more.
  const errors = (operatorSchemas.errors ?? []).filter(({ keyword }) => keyword !== 'enum')
  for (const { pointer, message } of schemaProblems('', errors)) {
    const [, keyword] = pointer.split('/')
    report(pointer, message, `JSON Schema 2020-12 says what "${keyword}" takes.`)
  }
}

/** As it is compiled, which is for Unicode. */
export function checkPattern(pattern: string, pointer: string, report: Report): void {
  try {
    new RegExp(pattern, 'u')
  } catch (error) {
    report(pointer, `${messageOf(error)}.`, 'Patterns are regular expressions of JavaScript with the flag "u".')
  }
}

/** OpenAPI knows more formats than are checked here, and others may be a reader's: no failure. */
export function noteFormat(format: unknown, report: Report): void {
  if (typeof format !== 'string' || FORMATS.has(format)) return
  report('/format', `the format "${format}" is not one this gateway checks.`, didYouMean(format, formatNames))
}

function containsBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  return typeof value === 'object' && value !== null && Object.values(value).some(containsBigint)
}
