import { EXACT_PARTS, type ExactParts } from '../../routes/exact-parts.ts'

interface Operation {
  readonly responses?: Readonly<Record<string, object>>
  readonly [EXACT_PARTS]?: ExactParts
}

/** The part of an OpenAPI document that is looked at here. */
interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>> | undefined>>
}

/** The document with the parts that its routes have brought. */
export function withExactParts<D extends object>(document: D): D {
  // Our own document has this form; the plugin's types allow for others.
  const { paths: written = {} } = document as Document
  const paths = Object.entries(written).map(([url, path]) => [
    url,
    Object.fromEntries(Object.entries(path ?? {}).map(([verb, operation]) => [verb, completed(operation)])),
  ])
  return { ...document, paths: Object.fromEntries(paths) }
}

function completed(operation: Operation): object {
  const { [EXACT_PARTS]: parts, responses = {}, ...rest } = operation
  if (parts === undefined) return operation
  const { parameters, requestBody, contents } = parts
  const answers = Object.entries(responses).map(([status, response]) => {
    const content = contents[status]
    return [status, content === undefined ? response : { ...response, content }]
  })
  return {
    ...rest,
    ...(requestBody === undefined ? {} : { requestBody }),
    parameters,
    responses: Object.fromEntries(answers),
  }
}
