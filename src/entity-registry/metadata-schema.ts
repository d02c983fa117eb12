import { type Static, Type } from 'typebox'
import { LONGEST_TIMER_MS } from './longest-timer.ts'

/**
 * The metadata document: the gateway's one input, written by a compiler or an exporter. This schema is published as
 * `docs/metadata.schema.json` and checks every document at start; `docs/metadata.md` explains it with examples.
 */

const closed = { additionalProperties: false } as const
const Identifier = Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128 })
const Opaque = Type.Record(Type.String(), Type.Unknown(), {
  description: 'What only the runtime’s adapter understands. Not looked at by anyone else.',
})

/**
 * A type: JSON Schema 2020-12, with two additions that may stand wherever a schema may: `{"entity": NAME}`, a reference
 * to an entity (its key), and `{"unsupported": TEXT}`, a type that the exporter could not express. The latter stops the
 * start unless its member is hidden.
 */
const TypeExpression = Type.Record(Type.String(), Type.Unknown(), {
  description: 'JSON Schema 2020-12, or {"entity": NAME}, or {"unsupported": TEXT}, at any depth.',
})

const Example = Type.Record(Type.String(), Type.Unknown(), { description: 'Arguments by parameter name.' })

const Parameter = Type.Object(
  {
    name: Identifier,
    description: Type.Optional(Type.String()),
    schema: Type.Optional(TypeExpression),
    entity: Type.Optional(Identifier),
    required: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
  },
  { ...closed, description: 'Exactly one of `schema` and `entity` says what the argument is.' },
)

const DeclaredError = Type.Object(
  {
    status: Type.Optional(Type.Integer({ minimum: 400, maximum: 499, description: 'Default: 422.' })),
    description: Type.Optional(Type.String()),
    schema: Type.Optional(TypeExpression),
  },
  closed,
)

const Method = Type.Object(
  {
    name: Identifier,
    description: Type.Optional(Type.String()),
    params: Type.Array(Parameter),
    returns: Type.Optional(TypeExpression),
    readOnly: Type.Optional(
      Type.Boolean({ description: 'What the compiler found. Not trusted for GET or for retries.' }),
    ),
    deadlineMs: Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_TIMER_MS })),
    errors: Type.Optional(Type.Record(Type.String(), DeclaredError)),
    examples: Type.Optional(Type.Array(Example)),
    runtime: Type.Optional(Opaque),
  },
  {
    ...closed,
    description: '`returns` left out: any JSON value. `{"type":"null"}`: nothing, answered by 204.',
  },
)

const Entity = Type.Object(
  {
    name: Identifier,
    description: Type.Optional(Type.String()),
    key: Type.Object(
      {
        name: Identifier,
        schema: TypeExpression,
        generated: Type.Optional(
          Type.Boolean({
            description: 'The runtime makes the key up; no constructor argument carries it. Default: false.',
          }),
        ),
      },
      { ...closed, description: 'The schema’s type is "string" or "integer".' },
    ),
    state: Type.Optional(
      Type.Record(Identifier, TypeExpression, {
        propertyNames: Identifier,
        description: 'Attributes, by name, as they are in the runtime.',
      }),
    ),
    create: Type.Optional(
      Type.Object(
        {
          description: Type.Optional(Type.String()),
          params: Type.Array(Parameter),
          examples: Type.Optional(Type.Array(Example)),
          runtime: Type.Optional(Opaque),
        },
        { ...closed, description: 'The constructor. Left out: instances can’t be created by a caller.' },
      ),
    ),
    methods: Type.Array(Method),
    runtime: Type.Optional(Opaque),
  },
  closed,
)

export const MetadataDocument = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    formatVersion: Type.Literal(1),
    application: Identifier,
    runtime: Type.Optional(
      Type.Object(
        {
          name: Type.Optional(
            Type.String({
              minLength: 1,
              description: 'The configured runtime instance that serves these entities. Default: the only one.',
            }),
          ),
        },
        { additionalProperties: true },
      ),
    ),
    entities: Type.Array(Entity, { minItems: 1 }),
  },
  { ...closed, title: 'StateFlow gateway: compiled entity metadata', $id: 'urn:stateflow-gateway:metadata:1' },
)

export type MetadataDocument = Static<typeof MetadataDocument>
export type MetadataEntity = MetadataDocument['entities'][number]
export type MetadataMethod = MetadataEntity['methods'][number]
export type MetadataParameter = MetadataMethod['params'][number]
