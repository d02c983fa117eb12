import { type Static, Type } from 'typebox'

/** `100/60`: so many calls in so many seconds. */
const QUOTA_PATTERN = '^[1-9]\\d{0,8}/[1-9]\\d{0,4}$'

/** How much callers may ask, and how much a runtime is given at once. */
export const LimitOptions = Type.Object(
  {
    ratePerCaller: Type.Optional(
      Type.String({
        env: 'GATEWAY_RATE_PER_CALLER',
        pattern: QUOTA_PATTERN,
        description:
          'Calls that one caller may make, as `CALLS/SECONDS`: `600/60`; further ones get 429. Left out: any.',
      }),
    ),
    ratePerKey: Type.Optional(
      Type.String({
        env: 'GATEWAY_RATE_PER_KEY',
        pattern: QUOTA_PATTERN,
        description: 'Calls that one entity takes from all callers together, as `CALLS/SECONDS`. Left out: any.',
      }),
    ),
    rateShared: Type.Boolean({
      env: 'GATEWAY_RATE_SHARED',
      default: true,
      description:
        'With `REDIS_URL`, replicas count together, at an exchange with Redis for each quota of a call; false: each by itself.',
    }),
    rateMaxBuckets: Type.Integer({
      env: 'GATEWAY_RATE_MAX_BUCKETS',
      default: 100_000,
      minimum: 2,
      description: 'Callers and entities that are counted at once in memory; beyond it, the idlest are forgotten.',
    }),
    maxInFlightPerEntity: Type.Integer({
      env: 'GATEWAY_MAX_IN_FLIGHT_PER_ENTITY',
      default: 0,
      minimum: 0,
      description: 'Calls of one entity type under way at once; further ones get 503. 0: any.',
    }),
    maxInFlightPerKey: Type.Integer({
      env: 'GATEWAY_MAX_IN_FLIGHT_PER_KEY',
      default: 1_000,
      minimum: 0,
      description: 'Calls of one entity under way at once, so that a hot key leaves room for the others. 0: any.',
    }),
    adaptive: Type.Boolean({
      env: 'GATEWAY_ADAPTIVE',
      default: false,
      description:
        'Let calls under way follow the runtime’s latency and the event loop’s lag; what is too much gets 503.',
    }),
    adaptiveMinInFlight: Type.Integer({
      env: 'GATEWAY_ADAPTIVE_MIN_IN_FLIGHT',
      default: 32,
      minimum: 1,
      description: 'Calls of one runtime that may be under way however slow it is.',
    }),
    adaptiveTolerancePercent: Type.Integer({
      env: 'GATEWAY_ADAPTIVE_TOLERANCE_PERCENT',
      default: 200,
      minimum: 110,
      maximum: 10_000,
      description: 'How long calls may take, of what they take in an idle runtime, before fewer are let in.',
    }),
    adaptiveFloorMs: Type.Integer({
      env: 'GATEWAY_ADAPTIVE_FLOOR_MS',
      default: 10,
      minimum: 1,
      maximum: 60_000,
      description: 'An idle runtime is taken for no quicker than so many milliseconds: below it, latency is noise.',
    }),
    adaptiveLoopLagMs: Type.Integer({
      env: 'GATEWAY_ADAPTIVE_LOOP_LAG_MS',
      default: 200,
      minimum: 10,
      maximum: 60_000,
      description: 'Mean lag of the event loop, in milliseconds, from which on calls are refused before they are read.',
    }),
  },
  { additionalProperties: false },
)

export type LimitOptions = Static<typeof LimitOptions>
