import { Type } from 'typebox'
import { adapterNames } from '../runtime-adapters/catalog.ts'
import { EmbeddedOptions } from '../runtime-adapters/embedded/options.ts'
import { KafkaOptions } from '../runtime-adapters/kafka/options.ts'
import { StateflowOptions } from '../runtime-adapters/stateflow/options.ts'
import { StatefunOptions } from '../runtime-adapters/statefun/options.ts'
import { StatefunEndpointOptions } from '../runtime-adapters/statefun-endpoint/options.ts'
import { AccessOptions } from './access/access-options.ts'
import { HttpOptions } from './http-options.ts'
import { RedisOptions } from './invocations/redis-options.ts'
import { LimitOptions } from './limits/limit-options.ts'
import { ObservabilityOptions } from './observability/options.ts'
import { ReloadOptions } from './reload/options.ts'

/**
 * Every setting there is, once: its type, default, environment variable and meaning. The flag of `kafka.brokers` is
 * `--kafka-brokers`. `docs/configuration.md` is written from here and held by a test.
 */

const closed = { additionalProperties: false } as const

const RuntimeInstance = Type.Object(
  {
    adapter: Type.Enum([...adapterNames], { description: 'Which adapter speaks to this runtime.' }),
    kafka: Type.Optional(Type.Partial(KafkaOptions, closed)),
    stateflow: Type.Optional(Type.Partial(StateflowOptions, closed)),
    statefun: Type.Optional(Type.Partial(StatefunOptions, closed)),
    statefunEndpoint: Type.Optional(Type.Partial(StatefunEndpointOptions, closed)),
    embedded: Type.Optional(Type.Partial(EmbeddedOptions, closed)),
  },
  { ...closed, description: 'What differs from the settings of the same name above.' },
)

export const Settings = Type.Object(
  {
    host: Type.String({
      env: 'HOST',
      default: '127.0.0.1',
      // Node would listen everywhere.
      minLength: 1,
      description: 'Address to listen on; `0.0.0.0` in a container.',
    }),
    port: Type.Integer({
      env: 'PORT',
      default: 8000,
      minimum: 0,
      maximum: 65_535,
      description: 'Port to listen on; 0: any free one.',
    }),
    metadata: Type.Array(Type.String(), {
      env: 'GATEWAY_METADATA',
      default: [],
      description: 'Metadata documents: files, folders and globs.',
    }),
    overrides: Type.Optional(Type.String({ env: 'GATEWAY_OVERRIDES', description: 'The operator’s overrides file.' })),
    routes: Type.Array(Type.String(), {
      env: 'GATEWAY_ROUTES',
      default: [],
      description: 'Custom routes: files, or folders of files, each a Fastify plugin.',
    }),
    runtime: Type.Enum([...adapterNames], {
      env: 'GATEWAY_RUNTIME',
      default: 'embedded',
      description: 'The runtime’s adapter. For several runtimes, see `runtimes`.',
    }),
    runtimes: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][a-z0-9-]*$' }), RuntimeInstance, {
        ...closed,
        form: 'orders-2 (small letters, digits, dashes)',
        description: 'Runtime instances by the name that metadata documents give in `runtime.name`. Config file only.',
      }),
    ),
    deadlineMs: Type.Integer({
      env: 'GATEWAY_DEADLINE_MS',
      default: 10_000,
      minimum: 1,
      maximum: 3_600_000,
      description: 'Milliseconds a call may take where its method says nothing else.',
    }),
    maxWaitMs: Type.Integer({
      env: 'GATEWAY_MAX_WAIT_MS',
      default: 60_000,
      minimum: 1,
      maximum: 3_600_000,
      description: 'The longest that a caller may ask to wait by `Prefer: wait=N`, in milliseconds.',
    }),
    invocationLifetimeMs: Type.Integer({
      env: 'GATEWAY_INVOCATION_LIFETIME_MS',
      default: 900_000,
      minimum: 1_000,
      maximum: 86_400_000,
      description: 'Milliseconds that the answer to a call is waited for when its caller does not wait.',
    }),
    retentionMs: Type.Integer({
      env: 'GATEWAY_RETENTION_MS',
      default: 3_600_000,
      minimum: 1_000,
      description: 'Milliseconds that a finished invocation and its idempotency key are kept; then 410.',
    }),
    maxInvocations: Type.Integer({
      env: 'GATEWAY_MAX_INVOCATIONS',
      default: 100_000,
      minimum: 1,
      description: 'Invocations kept at once in memory; when all are taken, calls that need one get 503.',
    }),
    maxAnswerBytes: Type.Integer({
      env: 'GATEWAY_MAX_ANSWER_BYTES',
      default: 1_048_576,
      minimum: 1_024,
      description:
        'Bytes that the answer of a kept invocation may have; of a larger one, a problem with status 507 is kept.',
    }),
    maxKeptBytes: Type.Integer({
      env: 'GATEWAY_MAX_KEPT_BYTES',
      default: 134_217_728,
      minimum: 1_024,
      description:
        'Bytes of memory that kept answers may take, two for each character; with three quarters taken, calls that need a record get 503. Not with `REDIS_URL`.',
    }),
    maxPending: Type.Integer({
      env: 'GATEWAY_MAX_PENDING',
      default: 10_000,
      minimum: 1,
      description: 'Calls of one runtime that may wait for their answers at once; further ones get 503.',
    }),
    maxPendingBytes: Type.Integer({
      env: 'GATEWAY_MAX_PENDING_BYTES',
      default: 67_108_864,
      minimum: 1_024,
      description: 'Bytes of encoded requests that may wait at once.',
    }),
    bodyLimitBytes: Type.Integer({
      env: 'GATEWAY_BODY_LIMIT_BYTES',
      default: 1_048_576,
      minimum: 1,
      description: 'Bytes a request’s body may have; larger ones get 413.',
    }),
    batchInFlight: Type.Integer({
      env: 'GATEWAY_BATCH_IN_FLIGHT',
      default: 1_000,
      minimum: 1,
      maximum: 100_000,
      description:
        'Lines of one batch that are held at once: under way, or waiting for their turn or for their reader.',
    }),
    batchInFlightBytes: Type.Integer({
      env: 'GATEWAY_BATCH_IN_FLIGHT_BYTES',
      default: 8_388_608,
      minimum: 1,
      description:
        'Bytes of such lines, and of answers that were not yet taken; one line may have as many as a body (`GATEWAY_BODY_LIMIT_BYTES`).',
    }),
    batchIdleMs: Type.Integer({
      env: 'GATEWAY_BATCH_IDLE_MS',
      default: 30_000,
      minimum: 1,
      maximum: 3_600_000,
      description: 'Milliseconds after which a batch is cut off whose caller sends no line, or takes no answer.',
    }),
    maxBatches: Type.Integer({
      env: 'GATEWAY_MAX_BATCHES',
      default: 8,
      minimum: 1,
      description: 'Batches at once; further ones get 503.',
    }),
    replica: Type.Optional(
      Type.String({
        env: 'GATEWAY_REPLICA',
        pattern: '^\\d{1,4}/\\d{1,4}$',
        description: 'Which replica this is, of how many: `0/3`, `1/3`, `2/3`. For `KAFKA_REPLY_PARTITIONS=own`.',
      }),
    ),
    workers: Type.Integer({
      env: 'GATEWAY_WORKERS',
      default: 1,
      minimum: 0,
      maximum: 256,
      description:
        'Processes that serve the port together; 0: one for each core that the container is given. Not with the embedded runtime and `statefun-endpoint`.',
    }),
    shutdownGraceMs: Type.Integer({
      env: 'GATEWAY_SHUTDOWN_GRACE_MS',
      default: 10_000,
      minimum: 0,
      maximum: 86_400_000,
      description: 'Milliseconds that calls under way have to end after SIGTERM.',
    }),
    title: Type.String({ env: 'GATEWAY_TITLE', default: 'StateFlow gateway', description: 'Title of the API’s docs.' }),
    logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
      env: 'LOG_LEVEL',
      default: 'info',
      description: 'The least severe level that is logged.',
    }),
    logFormat: Type.Enum(['auto', 'pretty', 'json'], {
      env: 'LOG_FORMAT',
      default: 'auto',
      description: 'auto: for people in a terminal, JSON lines elsewhere.',
    }),
    logRequests: Type.Boolean({
      env: 'LOG_REQUESTS',
      default: false,
      description: 'Log a line for each request, once it is answered.',
    }),
    reload: ReloadOptions,
    observe: ObservabilityOptions,
    access: AccessOptions,
    limits: LimitOptions,
    http: HttpOptions,
    redis: RedisOptions,
    kafka: KafkaOptions,
    stateflow: StateflowOptions,
    statefun: StatefunOptions,
    statefunEndpoint: StatefunEndpointOptions,
    embedded: EmbeddedOptions,
  },
  { ...closed, title: 'StateFlow gateway: configuration' },
)
