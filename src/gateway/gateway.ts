import { randomBytes, randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { createRegistry, type EntityRegistry } from '../entity-registry/registry.ts'
import { createAnswering } from '../routes/answering.ts'
import { registerBatchRoutes } from '../routes/batch-routes.ts'
import type { BatchLimits } from '../routes/batch-run.ts'
import { withCheckedAnswers } from '../routes/checked-answers.ts'
import { createEntityClient, type EntityClient } from '../routes/entity-client.ts'
import { registerEntityRoutes } from '../routes/entity-routes.ts'
import { answerFailures, answerRouterError, answerSocketError } from '../routes/failures.ts'
import { registerInvocationRoutes } from '../routes/invocation-routes.ts'
import type { InvocationStore } from '../routes/invocation-store.ts'
import { acceptJsonBodies } from '../routes/json-body.ts'
import { registerSystemRoutes } from '../routes/system-routes.ts'
import { createRequestValidator } from '../routes/validator.ts'
import type { HealthCheck } from '../runtime-adapters/contract.ts'
import type { Config } from './config.ts'
import { type CustomRoutes, type LoadedRoutes, loadCustomRoutes, registerCustomRoutes } from './custom-routes.ts'
import { createStore } from './invocations/create-store.ts'
import { createSteadyStore } from './invocations/steady-store.ts'
import { createStrayKeeper, REPLICA_DIGITS, type StrayKeeper } from './invocations/stray-keeper.ts'
import { registerDocs } from './plugins/docs.ts'
import { registerDrain } from './plugins/drain.ts'
import { createRuntimes, type Runtimes } from './runtimes.ts'
import { version } from './version.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Calls entities with the same checks, deadlines and failures as the generated routes. */
    readonly gateway: EntityClient
  }
}

export interface GatewayOptions {
  readonly config: Config
  /** Beside those that the configuration names. */
  readonly routes?: readonly CustomRoutes[]
  /** pino's options, or `false`; by default nothing is logged. */
  readonly logger?: FastifyServerOptions['logger']
  /** false: no runtime is connected to; for what needs the routes and their document alone. */
  readonly connect?: boolean
}

export interface Gateway extends EntityClient {
  /** The Fastify instance, ready; `listen` is up to the caller. */
  readonly app: FastifyInstance
  readonly registry: EntityRegistry
  readonly runtimes: Runtimes
  /** No new calls; those under way end or are answered; then everything is closed. May be called twice. */
  close(): Promise<void>
}

/** A segment of a path may be a key: 1 KiB of UTF-8, each byte as `%XX`. */
const MAX_PARAM_LENGTH = 3 * 1024

/** The composition root: everything that a running gateway is made of, from top to bottom. */
export async function buildGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, routes = [], logger = false, connect = true } = options
  const replica = randomBytes(REPLICA_DIGITS / 2).toString('hex')
  const newId = () => randomUUID().slice(0, -REPLICA_DIGITS) + replica
  const app = createApp(config, { logger, newId })
  const store = createSteadyStore(await createStore(config, app.log))
  const strays = createStrayKeeper({ store, replica, log: app.log })
  const runtimes = await createRuntimes(config, app.log, strays)
  const registry = createRegistry(runtimes.entities)
  try {
    const custom = [...(await loadCustomRoutes(config.routes)), ...routes.map((plugin) => ({ plugin }))]
    if (connect) {
      await store.start()
      await strays.start(registry)
      await runtimes.start()
    }
    const client = await assemble(app, { config, registry, runtimes, custom, store, replica, newId })
    await app.ready()
    const close = () => closeWithin({ graceMs: config.shutdownGraceMs, app, runtimes, strays, store })
    return { app, registry, runtimes, ...client, close }
  } catch (error) {
    await runtimes.close()
    await strays.close()
    await store.close()
    throw error
  }
}

/** Milliseconds before the end of the grace at which those who still wait are told that nobody knows. */
const LAST_WORD_MS = 500
/** Milliseconds before the end of the grace at which connections are cut whose callers don't take their answers. */
const CUT_MS = 200

interface Closing {
  readonly graceMs: number
  readonly app: FastifyInstance
  readonly runtimes: Runtimes
  readonly strays: StrayKeeper
  readonly store: InvocationStore
}

async function closeWithin({ graceMs, app, runtimes, strays, store }: Closing): Promise<void> {
  const lastWord = setTimeout(() => void runtimes.close(), Math.max(0, graceMs - LAST_WORD_MS))
  const cut = setTimeout(() => app.server.closeAllConnections(), Math.max(0, graceMs - CUT_MS))
  await app.close()
  clearTimeout(lastWord)
  clearTimeout(cut)
  await runtimes.close()
  await strays.close()
  await store.close()
}

interface Parts {
  readonly config: Config
  readonly registry: EntityRegistry
  readonly runtimes: Runtimes
  readonly custom: readonly LoadedRoutes[]
  readonly store: InvocationStore
  readonly replica: string
  readonly newId: () => string
}

/** Nobody is authenticated yet: everybody is the same caller. */
const principalOf = () => ''

/** The order is the order in which a call meets things. */
async function assemble(app: FastifyInstance, parts: Parts): Promise<EntityClient> {
  const { config, registry, runtimes, custom, store, replica, newId } = parts
  const { entities, adapterOf } = runtimes
  const capabilitiesOf = (entity: EntityDescriptor) => adapterOf(entity).capabilities
  // The chain of `Invoke => Invoke`, outermost first; tracing will be a link of the same form.
  const invoke = withCheckedAnswers(runtimes.invoke)
  const answering = createAnswering({ invoke, store, replica, lifetimeMs: config.invocationLifetimeMs })
  const { deadlineMs: defaultDeadlineMs, maxWaitMs } = config

  answerFailures(app, registry)
  registerDrain(app)
  acceptJsonBodies(app)
  await registerDocs(app, { title: config.title, version, description: describeApi(entities), tags: tagsOf(entities) })
  registerSystemRoutes(app, { entities, capabilitiesOf, checks: () => allChecks(runtimes, store) })
  registerInvocationRoutes(app, { store, principalOf, maxWaitMs })
  registerEntityRoutes(app, { entities, capabilitiesOf, answering, principalOf, defaultDeadlineMs, maxWaitMs })
  await registerBatchRoutes(app, {
    ...{ entities, capabilitiesOf, answering, principalOf, defaultDeadlineMs, maxWaitMs, newId },
    ...{ limits: batchLimitsOf(config), maxBatches: config.maxBatches },
  })
  const client = createEntityClient({ registry, capabilitiesOf, invoke, newId, defaultDeadlineMs })
  app.decorate('gateway', client)
  await registerCustomRoutes(app, custom)
  // What a caller was not told yet goes to the store before the store closes.
  app.addHook('onClose', () => answering.settled())
  return client
}

function batchLimitsOf(config: Config): BatchLimits {
  const { batchInFlight, batchInFlightBytes, bodyLimitBytes, batchIdleMs } = config
  return { maxLines: batchInFlight, maxBytes: batchInFlightBytes, maxLineBytes: bodyLimitBytes, idleMs: batchIdleMs }
}

async function allChecks(runtimes: Runtimes, store: InvocationStore): Promise<readonly HealthCheck[]> {
  const [checks, health] = await Promise.all([runtimes.checks(), store.health()])
  return [...checks, { name: `${store.name} store`, essential: false, ...health }]
}

interface AppOptions {
  readonly logger: FastifyServerOptions['logger']
  readonly newId: () => string
}

function createApp(config: Config, { logger, newId }: AppOptions): FastifyInstance {
  const app = fastify({
    logger: logger ?? false,
    bodyLimit: config.bodyLimitBytes,
    // An id from outside could collide; the caller's own correlation travels in `traceparent`.
    genReqId: newId,
    requestIdHeader: false,
    logController: new LogController({ disableRequestLogging: !config.logRequests }),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerRouterError,
    clientErrorHandler: answerSocketError,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  })
  app.setValidatorCompiler(createRequestValidator)
  return app
}

function describeApi(entities: readonly EntityDescriptor[]): string {
  const applications = [...new Set(entities.map(({ application }) => application))].join(', ')
  return (
    `The entities of ${applications}. Failures are problem details (RFC 9457); their \`outcome\` says whether the call may ` +
    'have happened, `retry` whether to send it again.'
  )
}

function tagsOf(
  entities: readonly EntityDescriptor[],
): readonly { readonly name: string; readonly description: string }[] {
  return [
    ...entities.map(({ name, description }) => ({
      name,
      description: description === '' ? `The entity ${name}.` : description,
    })),
    { name: 'gateway', description: 'The gateway itself.' },
  ]
}
