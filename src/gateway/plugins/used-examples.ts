interface Media {
  readonly examples?: Readonly<Record<string, { readonly $ref?: string }>>
}
interface Operation {
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>
}

/** The part of an OpenAPI document that is looked at here. */
interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>> | undefined>>
  readonly components?: { readonly examples?: Readonly<Record<string, unknown>> }
}

/** The document with those of its common examples that an answer in it names. */
export function withUsedExamples<D extends object>(document: D): D {
  // Our own document has this form; the plugin's types allow for others.
  const { paths = {}, components = {} } = document as Document
  const operations = Object.values(paths).flatMap((path) => Object.values(path ?? {}))
  const used = new Set(operations.flatMap(examplesIn))
  const examples = Object.entries(components.examples ?? {}).filter(([name]) =>
    used.has(`#/components/examples/${name}`),
  )
  return { ...document, components: { ...components, examples: Object.fromEntries(examples) } }
}

function examplesIn({ responses = {} }: Operation): readonly (string | undefined)[] {
  return Object.values(responses)
    .flatMap(({ content = {} }) => Object.values(content))
    .flatMap(({ examples = {} }) => Object.values(examples).map(({ $ref }) => $ref))
}
