import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ErrorObject } from 'ajv/dist/2020.js'
import { isDeeperThan } from './exact-json.ts'
import { messageOf } from './message-of.ts'
import { MetadataError, type MetadataProblem, pointerSegment } from './metadata-error.ts'
import { MetadataDocument } from './metadata-schema.ts'
import { didYouMean } from './nearest-name.ts'
import { operatorSchemas } from './operator-schemas.ts'

/** One document and the file it came from. */
export interface LoadedDocument {
  readonly file: string
  readonly document: MetadataDocument
}

const validate = operatorSchemas.compile<MetadataDocument>(MetadataDocument)

/**
 * Reads and checks metadata documents.
 * @param patterns files, folders (every `*.json` directly in them) and globs
 * @throws MetadataError with every problem of every file
 */
export function loadMetadata(patterns: readonly string[]): readonly LoadedDocument[] {
  const problems: MetadataProblem[] = []
  const documents: LoadedDocument[] = []
  for (const file of patterns.flatMap((pattern) => filesOf(pattern, problems))) {
    const read = readJsonFile(file, problems)
    if (read === undefined) continue
    const found = checkDocument(file, read.value)
    if (found.length > 0) problems.push(...found)
    // The check above is what makes this true.
    else documents.push({ file, document: read.value as MetadataDocument })
  }
  if (problems.length > 0) throw new MetadataError(problems)
  return documents
}

/** Problems of a parsed document; empty when it follows the published schema. */
export function checkDocument(file: string, document: unknown): readonly MetadataProblem[] {
  if (validate(document)) return []
  return schemaProblems(file, validate.errors ?? [])
}

/** Schema violations in the operator's words: where, what was expected, and the nearest valid name. */
export function schemaProblems(file: string, errors: readonly ErrorObject[]): readonly MetadataProblem[] {
  return errors
    .filter(({ keyword }) => keyword !== 'anyOf' && keyword !== 'oneOf' && keyword !== 'propertyNames')
    .map((error) => {
      const instancePath = placeOf(error)
      const { message = 'is not valid', keyword, params, parentSchema } = error
      if (keyword === 'additionalProperties') {
        const name = String(params.additionalProperty)
        const known = Object.keys((parentSchema?.properties as object | undefined) ?? {})
        const hint = didYouMean(name, known) ?? `Known here: ${known.join(', ')}.`
        return { file, pointer: `${instancePath}/${pointerSegment(name)}`, message: `unknown member "${name}".`, hint }
      }
      const hint = keyword === 'pattern' ? parentSchema?.description : undefined
      const detail = keyword === 'const' ? `must be ${JSON.stringify(params.allowedValue)}` : message
      return { file, pointer: instancePath, message: `${detail}.`, ...(hint === undefined ? {} : { hint }) }
    })
}

/** A name that is wrong is a place of its own. */
function placeOf({ instancePath, propertyName }: ErrorObject): string {
  return propertyName === undefined ? instancePath : `${instancePath}/${pointerSegment(propertyName)}`
}

function filesOf(pattern: string, problems: MetadataProblem[]): readonly string[] {
  const stat = statSync(pattern, { throwIfNoEntry: false })
  const files = stat?.isDirectory()
    ? readdirSync(pattern)
        .filter((name) => name.endsWith('.json'))
        .map((name) => join(pattern, name))
    : stat?.isFile()
      ? [pattern]
      : globSync(pattern)
  if (files.length === 0) {
    problems.push({
      file: pattern,
      pointer: '',
      message: stat?.isDirectory() ? 'no *.json file is in this folder.' : 'no such file, and no file matches.',
      hint: 'Check GATEWAY_METADATA.',
    })
  }
  return files.sort()
}

/** Levels of arrays and objects in a file. */
const MAX_DEPTH = 200

/** Reads one JSON file; a problem names the line and column of a syntax error. */
export function readJsonFile(file: string, problems: MetadataProblem[]): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (!isDeeperThan(value, MAX_DEPTH)) return { value }
    problems.push({ file, pointer: '', message: `nested more than ${MAX_DEPTH} deep.` })
    return undefined
  } catch (error) {
    const message = messageOf(error)
    problems.push({ file, pointer: '', message: error instanceof SyntaxError ? `not JSON: ${message}.` : message })
    return undefined
  }
}
