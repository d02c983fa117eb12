import { randomBytes } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerOptions, LogController } from 'fastify'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { createRegistry, type EntityRegistry } from '../entity-registry/registry.ts'
import { type Answering, createAnswering } from '../routes/answering.ts'
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
import type { HealthCheck, Invoke } from '../runtime-adapters/contract.ts'
import type { Config } from './config.ts'
import { type CustomRoutes, type LoadedRoutes, loadCustomRoutes, registerCustomRoutes } from './custom-routes.ts'
import { createInvocationIds } from './invocation-ids.ts'
import { createStore } from './invocations/create-store.ts'
import { createSteadyStore } from './invocations/steady-store.ts'
import { createStrayKeeper, REPLICA_DIGITS, type StrayKeeper } from './invocations/stray-keeper.ts'
import { createLimits, type Limits } from './limits/limits.ts'
import { createManagement } from './management.ts'
import { type CanaryCalls, createCanaryCalls } from './observability/canary-calls.ts'
import { createObservability, type Observability } from './observability/observability.ts'
import { type DocsOptions, registerDocs } from './plugins/docs.ts'
import { registerDrain } from './plugins/drain.ts'
import { serverLimits } from './plugins/request-limits.ts'
import { protect } from './protection.ts'
import { shareOf } from './replica-share.ts'
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
  /** Ready too, where `http.managementPort` is set. */
  readonly management: FastifyInstance | undefined
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
  const ids = createInvocationIds(replica)
  const app = createApp(config, { logger, newId: ids.next })
  const observed = createObservability(config.observe, config.logRequests)
  const store = createSteadyStore(observed.watchStore(await createStore(config, app.log)))
  const strays = createStrayKeeper({ store, replica, log: app.log })
  const share = shareOf(config)
  const limits = await createLimits({ config, log: app.log, page: observed.page })
  const runtimes = await createRuntimes(config, app.log, {
    strays,
    ...(observed.records && { watch: observed.records }),
  })
  const registry = createRegistry(runtimes.entities)
  try {
    const custom = [...(await loadCustomRoutes(config.routes)), ...routes.map((plugin) => ({ plugin }))]
    if (connect) {
      await store.start()
      await strays.start(registry)
      await limits.start()
      await runtimes.start()
      ids.restrict(runtimes.suits)
      if (share !== undefined) await strays.hold(share)
    }
    // The chain of `Invoke => Invoke`, outermost first.
    const handed = observed.watchCalls(withCheckedAnswers(runtimes.invoke))
    const invoke = limits.bound(handed)
    const answering = createAnswering({ invoke, store, replica, lifetimeMs: config.invocationLifetimeMs })
    const { client, management } = await assemble(app, {
      config,
      registry,
      runtimes,
      custom,
      store,
      invoke,
      handed,
      answering,
      newId: ids.next,
      observed,
      strays,
      limits,
      isServing: connect,
    })
    await app.ready()
    const close = () => closeWithin({ graceMs: config.shutdownGraceMs, app, runtimes, answering, strays, store })
    return { app, management, registry, runtimes, ...client, close }
  } catch (error) {
    await runtimes.close()
    limits.close()
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
  readonly answering: Answering
  readonly strays: StrayKeeper
  readonly store: InvocationStore
}

async function closeWithin({ graceMs, app, runtimes, answering, strays, store }: Closing): Promise<void> {
  const tellAll = (): void => {
    // What fails here fails again below, where it is heard.
    runtimes.close().catch(() => undefined)
    answering.lastWord()
  }
  const lastWord = setTimeout(tellAll, Math.max(0, graceMs - LAST_WORD_MS))
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
  readonly invoke: Invoke
  /** Without the limits: for calls that show whether a runtime answers. */
  readonly handed: Invoke
  readonly answering: Answering
  readonly newId: () => string
  readonly observed: Observability
  readonly strays: StrayKeeper
  readonly limits: Limits
  /** The runtimes are connected to. */
  readonly isServing: boolean
}

/** `''`: nobody has shown who he is. */
const principalOf = ({ caller }: FastifyRequest) => caller.principal

interface Assembled {
  readonly client: EntityClient
  readonly management: FastifyInstance | undefined
}

/** The order is the order in which a call meets things. */
async function assemble(app: FastifyInstance, parts: Parts): Promise<Assembled> {
  const { config, registry, runtimes, custom, store, invoke, answering, newId } = parts
  const { observed, strays, limits, isServing } = parts
  const { entities, adapterOf } = runtimes
  const capabilitiesOf = (entity: EntityDescriptor) => adapterOf(entity).capabilities
  const { deadlineMs: defaultDeadlineMs, maxWaitMs } = config

  const canaryOptions = { ...config.observe, canaryCalls: isServing ? [...config.observe.canaryCalls] : [] }
  const canaryParts = { options: canaryOptions, registry, newId, page: observed.page }
  const canaries = createCanaryCalls({ ...canaryParts, invoke: parts.handed })

  observed.registerHooks(app, principalOf)
  answerFailures(app, registry)
  const isStopping = registerDrain(app, config.shutdownGraceMs)
  const access = protect(app, { config, entities, isServing })
  limits.registerHooks(app)
  const { authorize, checkManagement } = access
  const { admit } = limits
  acceptJsonBodies(app)
  const described = { title: config.title, version, ...describeApi(entities) }
  await registerDocs(app, { ...described, access, isRateLimited: admit !== undefined })
  const checks = () => allChecks({ runtimes, store, limits, canaries, isStopping })
  const system = { entities, capabilitiesOf, checks }
  const management = createManagement({ config, registry, system, newId })
  registerSystemRoutes(app, { ...system, checkManagement, isManaged: management === undefined })
  observed.registerRoutes(app, { adapters: runtimes.adapters, strays, canaries, pageOn: management ?? app })
  registerInvocationRoutes(app, { store, principalOf, maxWaitMs })
  const calls = { entities, capabilitiesOf, answering, principalOf, authorize, admit, defaultDeadlineMs, maxWaitMs }
  registerEntityRoutes(app, calls)
  await registerBatchRoutes(app, {
    ...{ ...calls, newId, limits: batchLimitsOf(config) },
    ...{ maxBatches: config.maxBatches, onLine: observed.noteLine },
  })
  const client = createEntityClient({ registry, capabilitiesOf, invoke, newId, defaultDeadlineMs })
  app.decorate('gateway', client)
  await registerCustomRoutes(app, custom)
  // What a caller was not told yet goes to the store before the store closes.
  app.addHook('onClose', () => answering.settled())
  app.addHook('onReady', async () => void (await management?.ready()))
  app.addHook('onClose', async () => void (await management?.close()))
  return { client, management }
}

function batchLimitsOf(config: Config): BatchLimits {
  const { batchInFlight, batchInFlightBytes, bodyLimitBytes, batchIdleMs } = config
  return { maxLines: batchInFlight, maxBytes: batchInFlightBytes, maxLineBytes: bodyLimitBytes, idleMs: batchIdleMs }
}

interface Checked {
  readonly runtimes: Runtimes
  readonly store: InvocationStore
  readonly limits: Limits
  readonly canaries: CanaryCalls
  readonly isStopping: () => boolean
}

async function allChecks({ runtimes, store, limits, canaries, isStopping }: Checked): Promise<readonly HealthCheck[]> {
  const [checks, health] = await Promise.all([runtimes.checks(), store.health()])
  // The management port answers to the end.
  const end = isStopping() ? [{ name: 'gateway', ok: false, detail: 'It is stopping.' }] : []
  const own = [...canaries.checks(), ...limits.checks()]
  return [...end, ...checks, ...own, { name: `${store.name} store`, essential: false, ...health }]
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
    // Two lines a request; `observability` writes one.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerRouterError,
    clientErrorHandler: answerSocketError,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    ...serverLimits(config.http),
  })
  app.setValidatorCompiler(createRequestValidator)
  return app
}

function describeApi(entities: readonly EntityDescriptor[]): Pick<DocsOptions, 'description' | 'tags'> {
  const applications = [...new Set(entities.map(({ application }) => application))].join(', ')
  const description =
    `The entities of ${applications}. Failures are problem details (RFC 9457); their \`outcome\` says whether the call may ` +
    'have happened, `retry` whether to send it again.'
  return { description, tags: tagsOf(entities) }
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
