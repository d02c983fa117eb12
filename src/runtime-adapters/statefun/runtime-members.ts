import type { ValidateFunction } from 'ajv/dist/2020.js'
import { type Static, Type } from 'typebox'
import { schemaProblems } from '../../entity-registry/load-metadata.ts'
import { operatorSchemas } from '../../entity-registry/operator-schemas.ts'
import { TOPIC_NAME } from '../kafka/topic-name.ts'
import { TYPE_NAME, TYPE_PATTERN } from './ingress.ts'

/** The `runtime` members of functions’ metadata, as they are written; `docs/statefun-metadata.md` explains them. */

const closed = { additionalProperties: false } as const
const TopicName = Type.String({ pattern: TOPIC_NAME })
const TypeName = Type.String({ pattern: TYPE_NAME })
const Encoding = Type.Enum(['json', 'raw', 'base64', 'protobuf'])
/** A JSON Pointer, or the name of a member of the root; null: it has none. */
const Place = Type.Unsafe<string | null>({ type: ['string', 'null'] })

const Envelope = Type.Object(
  {
    request: Type.Optional(
      Type.Object(
        {
          correlationId: Type.Optional(Place),
          replyTopic: Type.Optional(Place),
          method: Type.Optional(Place),
          key: Type.Optional(Place),
          arguments: Type.Optional(Type.String()),
        },
        closed,
      ),
    ),
    reply: Type.Optional(
      Type.Object(
        {
          correlationId: Type.Optional(Place),
          ok: Type.Optional(Place),
          result: Type.Optional(Type.String()),
          key: Type.Optional(Place),
          errorCode: Type.Optional(Place),
          errorMessage: Type.Optional(Place),
          errorData: Type.Optional(Place),
        },
        closed,
      ),
    ),
    errors: Type.Optional(Type.Record(Type.String(), Type.Enum(['entity-not-found', 'entity-exists']))),
  },
  closed,
)

/** What may stand at any level; the nearest counts. */
const messageMembers = {
  function: Type.Optional(TypeName),
  topic: Type.Optional(TopicName),
  valueType: Type.Optional(TypeName),
  encoding: Type.Optional(Encoding),
  replyEncoding: Type.Optional(Encoding),
  replyType: Type.Optional(TypeName),
  correlation: Type.Optional(Type.Enum(['payload', 'key', 'dispatch'])),
  envelope: Type.Optional(Envelope),
}

const MemberRuntime = Type.Object({ method: Type.Optional(Type.String()), ...messageMembers }, closed)

const EndpointMembers = Type.Object(
  {
    functions: Type.String({ pattern: TYPE_PATTERN }),
    urlPathTemplate: Type.String({ pattern: '^https?://' }),
    maxNumBatchRequests: Type.Optional(Type.Integer({ minimum: 1 })),
    callTimeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    connectTimeoutMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
  },
  closed,
)

const EntityRuntime = Type.Object(
  {
    /** The configured instance’s, from the document’s level. */
    name: Type.Optional(Type.String()),
    replyTopics: Type.Optional(Type.Array(TopicName, { minItems: 1 })),
    endpoints: Type.Optional(Type.Array(EndpointMembers)),
    egress: Type.Optional(
      Type.Object({ id: Type.Optional(TypeName), delivery: Type.Enum(['at-least-once', 'exactly-once']) }, closed),
    ),
    state: Type.Optional(MemberRuntime),
    find: Type.Optional(MemberRuntime),
    ...messageMembers,
  },
  closed,
)

export type EnvelopeMembers = Static<typeof Envelope>
export type MemberRuntime = Static<typeof MemberRuntime>
export type EntityRuntime = Static<typeof EntityRuntime>

const isEntityRuntime = operatorSchemas.compile<EntityRuntime>(EntityRuntime)
const isMemberRuntime = operatorSchemas.compile<MemberRuntime>(MemberRuntime)

export type Report = (problem: string) => void

/** What a document and its entity say, merged; empty where it was reported instead. */
export function readEntityRuntime(runtime: unknown, report: Report): EntityRuntime {
  return readMembers(isEntityRuntime, runtime, report) ?? {}
}

export function readMemberRuntime(runtime: unknown, report: Report): MemberRuntime {
  return readMembers(isMemberRuntime, runtime, report) ?? {}
}

function readMembers<T>(isValid: ValidateFunction<T>, runtime: unknown, report: Report): T | undefined {
  if (isValid(runtime)) return runtime
  for (const { pointer, message, hint } of schemaProblems('', isValid.errors ?? [])) {
    report(`runtime${pointer.replaceAll('/', '.')}: ${message}${hint === undefined ? '' : ` ${hint}`}`)
  }
  return undefined
}
