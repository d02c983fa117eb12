import type { TProperties, TSchema } from 'typebox'
import type { JsonSchema } from '../../entity-registry/descriptor.ts'
import type {
  MetadataDocument,
  MetadataEntity,
  MetadataMethod,
  MetadataParameter,
} from '../../entity-registry/metadata-schema.ts'
import type { EntityDefinition, ErrorSpec, Method } from './define-entity.ts'
import { emitSchema, isOptional, plainKeyword } from './emit-schema.ts'

export interface ToMetadataOptions {
  readonly definitions: readonly EntityDefinition[]
  readonly application: string
  /** The configured instance that serves these entities. */
  readonly instance: string
}

/** Entities written in TypeScript → the same document that exporters of other runtimes print. */
export function toMetadata({ definitions, application, instance }: ToMetadataOptions): MetadataDocument {
  return { formatVersion: 1, application, runtime: { name: instance }, entities: definitions.map(toEntity) }
}

function toEntity({ name, description, key, state, create, methods }: EntityDefinition): MetadataEntity {
  const { description: _described, ...keySchema } = emitSchema(state.properties[key])
  return {
    name,
    ...described(description),
    key: { name: key, schema: keySchema, ...(Object.hasOwn(create.params, key) ? {} : { generated: true }) },
    state: Object.fromEntries(
      Object.entries(state.properties).map(([attribute, type]) => [attribute, toAttribute(type)]),
    ),
    create: { ...described(create.description), params: toParams(create.params), ...toExamples(create.examples) },
    methods: Object.entries(methods).map(toMethod),
  }
}

/** An attribute that isn't there is read as null. */
function toAttribute(type: TSchema): JsonSchema {
  const schema = emitSchema(type)
  return isOptional(type) ? { anyOf: [schema, { type: 'null' }] } : schema
}

function toMethod([name, { spec }]: readonly [string, Method]): MetadataMethod {
  const { description, params = {}, returns, readOnly = false, deadlineMs, errors, examples = [] } = spec
  return {
    name,
    ...described(description),
    params: toParams(params),
    returns: returns === undefined ? { type: 'null' } : emitSchema(returns),
    readOnly,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(errors === undefined ? {} : { errors: toErrors(errors) }),
    ...toExamples(examples),
  }
}

function toParams(params: TProperties): MetadataParameter[] {
  return Object.entries(params).map(([name, type]) => {
    const { description, ...schema } = emitSchema(type)
    return {
      name,
      ...described(typeof description === 'string' ? description : undefined),
      ...(typeof schema.entity === 'string' ? { entity: schema.entity } : { schema }),
      ...(isOptional(type) ? { required: false } : {}),
    }
  })
}

function toErrors(errors: Readonly<Record<string, ErrorSpec>>): NonNullable<MetadataMethod['errors']> {
  return Object.fromEntries(
    Object.entries(errors).map(([name, { schema, ...error }]) => [
      name,
      { ...error, ...(schema === undefined ? {} : { schema: emitSchema(schema) }) },
    ]),
  )
}

function toExamples(examples: readonly object[]): { readonly examples?: Record<string, unknown>[] } {
  // An object's members mapped one by one are an object again.
  return examples.length === 0 ? {} : { examples: examples.map((one) => plainKeyword(one) as Record<string, unknown>) }
}

function described(description: string | undefined): { readonly description?: string } {
  return description === undefined || description === '' ? {} : { description }
}
