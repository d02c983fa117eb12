/** Keywords of JSON Schema that hold one schema, a list of schemas, or schemas by name. */
export const ONE_SCHEMA: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'contains',
  'not',
  'propertyNames',
])
export const SCHEMA_LIST: ReadonlySet<string> = new Set(['prefixItems', 'anyOf', 'oneOf', 'allOf'])
export const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(['properties', 'patternProperties'])

/** What `type` may say. */
export const JSON_TYPES: readonly string[] = ['string', 'integer', 'number', 'boolean', 'null', 'array', 'object']
