/**
 * What stands in the OpenAPI document word for word. The plugin that writes it from Fastify's schemas changes what it copies:
 * it drops `patternProperties`, takes names of members for keywords, and fails at some types.
 */
export interface ExactParts {
  readonly parameters: readonly object[]
  readonly requestBody: object | undefined
  /** The contents of responses, by status; these responses have none of their own. */
  readonly contents: Readonly<Record<string, object>>
}

/** Where a route's schema has them, until the document is written. */
export const EXACT_PARTS = 'x-exact-parts'
