import { type Static, Type } from 'typebox'
import { readJsonFile, schemaProblems } from './load-metadata.ts'
import { LONGEST_TIMER_MS } from './longest-timer.ts'
import { MetadataError, type MetadataProblem } from './metadata-error.ts'
import { operatorSchemas } from './operator-schemas.ts'
import { PATH_PATTERN } from './route-path.ts'

const scopes = Type.Array(Type.String({ pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]+$' }), {
  minItems: 1,
  description: 'What a caller needs, all of them.',
})
const accessMembers = {
  scopes: Type.Optional(scopes),
  owner: Type.Optional(
    Type.Union([Type.Boolean(), Type.String({ minLength: 1 })], {
      description: 'true: the key must be the caller’s name. Text: the key must be that claim of his token.',
    }),
  ),
  public: Type.Optional(Type.Boolean({ description: 'true: everybody may, also without credentials.' })),
}
const AccessMembers = Type.Object(accessMembers, { additionalProperties: false })

/** What an operator may say of an entity (`User`), a method (`User.buy_item`) or an attribute (`User.balance`). */
const Override = Type.Object(
  {
    expose: Type.Optional(Type.Boolean({ description: 'false: no route.' })),
    path: Type.Optional(
      Type.String({
        pattern: PATH_PATTERN,
        description:
          'Entity: its path segment. Method: a path with exactly one segment {key}, e.g. "/users/{key}/purchases". Segments are literal: letters, digits and -._~@!$&+,;=, but neither "." nor "..".',
      }),
    ),
    verb: Type.Optional(
      Type.Enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], { description: 'Method: instead of POST.' }),
    ),
    safe: Type.Optional(Type.Boolean({ description: 'Method: a call changes nothing, so GET serves it too.' })),
    writable: Type.Optional(Type.Boolean({ description: 'Attribute: PUT is served.' })),
    acceptLate: Type.Optional(
      Type.Boolean({ description: 'Method: a call whose deadline passes is answered by 202, not by 504.' }),
    ),
    deadlineMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: LONGEST_TIMER_MS, description: 'Method: milliseconds a call may take.' }),
    ),
    ...accessMembers,
    create: Type.Optional({ ...AccessMembers, description: 'Entity: who may create one, where that differs.' }),
    read: Type.Optional({
      ...AccessMembers,
      description: 'Entity: who may read it and its attributes, where that differs.',
    }),
  },
  { additionalProperties: false },
)

export const OverridesFile = Type.Record(Type.String(), Override, {
  title: 'StateFlow gateway: operator overrides',
  $id: 'urn:stateflow-gateway:overrides:1',
})

export type Override = Static<typeof Override>

export interface Overrides {
  readonly file: string
  readonly byName: ReadonlyMap<string, Override>
}

export const noOverrides: Overrides = { file: '', byName: new Map() }

const validate = operatorSchemas.compile<Record<string, Override>>(OverridesFile)

/** @throws MetadataError when the file can't be read or says something unknown */
export function loadOverrides(file: string): Overrides {
  const problems: MetadataProblem[] = []
  const read = readJsonFile(file, problems)
  if (read === undefined) throw new MetadataError(problems)
  if (!validate(read.value)) throw new MetadataError(schemaProblems(file, validate.errors ?? []))
  return { file, byName: new Map(Object.entries(read.value)) }
}
