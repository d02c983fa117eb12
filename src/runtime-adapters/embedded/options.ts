import { type Static, Type } from 'typebox'

/** Settings of the embedded runtime. `env` names the environment variable of each. */
export const EmbeddedOptions = Type.Object(
  {
    entities: Type.Optional(
      Type.String({
        env: 'GATEWAY_ENTITIES',
        minLength: 1,
        description:
          'The module whose exports are the entities. Left out, and with no metadata either, a checkout serves the shop of `examples/`.',
      }),
    ),
    dataFolder: Type.Optional(
      Type.String({
        env: 'GATEWAY_DATA_FOLDER',
        minLength: 1,
        description: 'Folder that keeps the entities’ states; left out, they end with the process.',
      }),
    ),
  },
  { additionalProperties: false },
)

export type EmbeddedOptions = Static<typeof EmbeddedOptions>
