/** First path segments that belong to the gateway. */
const RESERVED = new Set(['-', 'docs', 'openapi.json', 'openapi.yaml'])

/** @param path of an entity or a method, with or without its first slash */
export function isReserved(path: string): boolean {
  const [first = ''] = path.replace(/^\//, '').split('/')
  return RESERVED.has(first)
}

const LITERAL = '(?!\\.{1,2}(?:/|$))[\\p{L}\\p{M}\\p{N}._~@!$&+,;=-]+'
const SEGMENT = `(?:\\{key\\}|${LITERAL})`

/** What a router takes literally, and `{key}`: `:`, `*` and parentheses would match more than is written. */
export const PATH_PATTERN = `^/?${SEGMENT}(?:/${SEGMENT})*$`
