import { type Static, Type } from 'typebox'

/** Settings of how metadata is loaded anew while the gateway runs. */
export const ReloadOptions = Type.Object(
  {
    on: Type.Enum(['signal', 'watch'], {
      env: 'GATEWAY_RELOAD',
      default: 'signal',
      description:
        'When metadata, overrides and callers’ keys in files are read again: at SIGHUP, or also when their files change.',
    }),
    breaking: Type.Enum(['block', 'warn', 'allow'], {
      env: 'GATEWAY_RELOAD_BREAKING',
      default: 'block',
      description:
        'What becomes of metadata that would break callers: `block` keeps the old serving, `warn` logs each change, `allow` says nothing.',
    }),
    sunsetMs: Type.Integer({
      env: 'GATEWAY_SUNSET_MS',
      default: 0,
      minimum: 0,
      maximum: 31_536_000_000,
      description:
        'Milliseconds that methods and attributes which were removed are still served, with `Deprecation` and `Sunset` headers; 0: not at all.',
    }),
    watchIntervalMs: Type.Integer({
      env: 'GATEWAY_RELOAD_INTERVAL_MS',
      default: 2_000,
      minimum: 20,
      maximum: 3_600_000,
      description: 'Milliseconds between two looks at the files; they must be the same at two looks in a row.',
    }),
  },
  { additionalProperties: false },
)

export type ReloadOptions = Static<typeof ReloadOptions>
