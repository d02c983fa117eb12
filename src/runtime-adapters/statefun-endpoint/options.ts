import { type Static, Type } from 'typebox'
import { LONGEST_TIMER_MS } from '../../entity-registry/longest-timer.ts'

/** Settings of functions that are called without a cluster. `env` names the environment variable of each. */
export const StatefunEndpointOptions = Type.Object(
  {
    dialect: Type.Enum(['functions', 'stateflow'], {
      env: 'STATEFUN_ENDPOINT_DIALECT',
      default: 'functions',
      description: 'What the functions understand: messages as their metadata says, or StateFlow’s events.',
    }),
    endpoints: Type.Array(Type.String({ pattern: '^([^=\\s]+=)?https?://[^\\s]+$' }), {
      env: 'STATEFUN_ENDPOINTS',
      default: [],
      description:
        'Where functions are, e.g. `shop/*=http://HOST:PORT/PATH`, or a URL alone; where any are given, they stand in for those of the metadata.',
    }),
    dataFolder: Type.Optional(
      Type.String({
        env: 'STATEFUN_DATA_FOLDER',
        minLength: 1,
        description: 'Folder that keeps functions’ states and messages; left out, they end with the process.',
      }),
    ),
    callTimeoutMs: Type.Integer({
      env: 'STATEFUN_CALL_TIMEOUT_MS',
      default: 5_000,
      minimum: 1,
      maximum: 3_600_000,
      description:
        'Milliseconds that a function may be called for in vain, repetitions included; then its message fails.',
    }),
    maxBatch: Type.Integer({
      env: 'STATEFUN_MAX_BATCH',
      default: 1_000,
      minimum: 1,
      maximum: 100_000,
      description: 'Messages to one function id that may go in one request.',
    }),
    maxConcurrent: Type.Integer({
      env: 'STATEFUN_MAX_CONCURRENT',
      default: 64,
      minimum: 1,
      maximum: 10_000,
      description: 'Requests to endpoints at once.',
    }),
    maxQueued: Type.Integer({
      env: 'STATEFUN_MAX_QUEUED',
      default: 100_000,
      minimum: 1,
      description: 'Messages that may wait, delayed ones included; beyond that, calls get 503.',
    }),
    maxQueuedBytes: Type.Integer({
      env: 'STATEFUN_MAX_QUEUED_BYTES',
      default: 268_435_456,
      minimum: 1_024,
      description: 'Bytes of messages that may wait, delayed ones included.',
    }),
    drainMs: Type.Integer({
      env: 'STATEFUN_DRAIN_MS',
      default: 5_000,
      minimum: 0,
      maximum: LONGEST_TIMER_MS,
      description: 'Milliseconds that functions’ calls under way have to end when the gateway stops.',
    }),
  },
  { additionalProperties: false },
)

export type StatefunEndpointOptions = Static<typeof StatefunEndpointOptions>
