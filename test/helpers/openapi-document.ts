import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** An OpenAPI document, as far as tests look at it. */
export interface OpenapiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>
}

interface OpenapiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, MediaType>> }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, MediaType>> }>>
}

interface Exemplified {
  readonly schema?: object
  readonly example?: unknown
  readonly examples?: Readonly<Record<string, { readonly value?: unknown }>>
}
type MediaType = Exemplified
interface Parameter extends Exemplified {
  readonly name: string
  readonly in: string
  readonly required?: boolean
}

export interface Operation extends OpenapiOperation {
  readonly verb: string
  readonly path: string
}

export function operationsOf({ paths }: OpenapiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => ({ ...operation, verb, path })),
  )
}

export function examplesOf({ example, examples = {} }: Exemplified): readonly unknown[] {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)]
}

/** Checks values against schemas of the document. */
export function createSchemaCheck(document: OpenapiDocument): (schema: object, value: unknown) => readonly string[] {
  const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true })
  formats.default(ajv)
  for (const format of ['int32', 'int64', 'float', 'double']) ajv.addFormat(format, true)
  ajv.addSchema(document, 'document')
  return (schema, value) => {
    const absolute: object = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"document#/'))
    const validate = ajv.compile(absolute)
    return validate(value)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}
