import { type Static, Type } from 'typebox'

/** Settings of what one can see of a running gateway. */
export const ObservabilityOptions = Type.Object(
  {
    metrics: Type.Boolean({
      env: 'GATEWAY_METRICS',
      default: true,
      description: 'Count, and serve the counts to Prometheus at `/-/metrics`.',
    }),
    serverTiming: Type.Boolean({
      env: 'GATEWAY_SERVER_TIMING',
      default: false,
      description: 'Answers of calls say in `Server-Timing` how long they took, and how long the runtime did.',
    }),
    canaryCalls: Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*/.+/[A-Za-z_][A-Za-z0-9_]*$' }), {
      env: 'GATEWAY_CANARY_CALLS',
      default: [],
      description:
        'Calls made again and again to see whether runtimes answer, as `ENTITY/KEY/METHOD`; each method is marked `safe` and takes no arguments.',
    }),
    canaryIntervalMs: Type.Integer({
      env: 'GATEWAY_CANARY_INTERVAL_MS',
      default: 10_000,
      minimum: 100,
      maximum: 3_600_000,
      description: 'Milliseconds from the answer to a canary call to the next one.',
    }),
    canaryDeadlineMs: Type.Integer({
      env: 'GATEWAY_CANARY_DEADLINE_MS',
      default: 5_000,
      minimum: 1,
      maximum: 60_000,
      description: 'Milliseconds that a canary call may take.',
    }),
  },
  { additionalProperties: false },
)

export type ObservabilityOptions = Static<typeof ObservabilityOptions>
