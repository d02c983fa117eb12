import { OPTIONAL_BODY } from '../../routes/route-schema.ts'

interface Operation {
  readonly requestBody?: object
  readonly [OPTIONAL_BODY]?: true
}

/** The part of an OpenAPI document that is looked at here. */
interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>> | undefined>>
}

/** Swagger's plugin writes of every body that it is required; those that may be left out are marked. */
export function withOptionalBodies<D extends object>(document: D): D {
  // Our own document has this form; the plugin's types allow for others.
  const { paths: written = {} } = document as Document
  const paths = Object.entries(written).map(([url, path]) => [
    url,
    Object.fromEntries(Object.entries(path ?? {}).map(([verb, operation]) => [verb, unmarked(operation)])),
  ])
  return { ...document, paths: Object.fromEntries(paths) }
}

function unmarked(operation: Operation): Operation {
  if (operation[OPTIONAL_BODY] === undefined) return operation
  const { [OPTIONAL_BODY]: _mark, requestBody, ...rest } = operation
  return { ...rest, ...(requestBody === undefined ? {} : { requestBody: { ...requestBody, required: false } }) }
}
