import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { createRegistry, type EntityRegistry } from '../entity-registry/registry.ts'
import { withCheckedAnswers } from '../routes/checked-answers.ts'
import { createEntityClient, type EntityClient } from '../routes/entity-client.ts'
import { registerEntityRoutes } from '../routes/entity-routes.ts'
import { answerFailures, answerRouterError, answerSocketError } from '../routes/failures.ts'
import { acceptJsonBodies } from '../routes/json-body.ts'
import { registerSystemRoutes } from '../routes/system-routes.ts'
import { createRequestValidator } from '../routes/validator.ts'
import type { Config } from './config.ts'
import { type CustomRoutes, type LoadedRoutes, loadCustomRoutes, registerCustomRoutes } from './custom-routes.ts'
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
export async function buildGateway({
  config,
  routes = [],
  logger = false,
  connect = true,
}: GatewayOptions): Promise<Gateway> {
  const app = createApp(config, logger)
  const runtimes = await createRuntimes(config, app.log)
  const registry = createRegistry(runtimes.entities)
  try {
    const custom = [...(await loadCustomRoutes(config.routes)), ...routes.map((plugin) => ({ plugin }))]
    if (connect) await runtimes.start()
    const client = await assemble(app, { config, registry, runtimes, custom })
    app.addHook('onClose', () => runtimes.close())
    await app.ready()
    return { app, registry, runtimes, ...client, close: () => closeWithin(config.shutdownGraceMs, app, runtimes) }
  } catch (error) {
    await runtimes.close()
    throw error
  }
}

/** Milliseconds before the end of the grace at which those who still wait are told that nobody knows. */
const LAST_WORD_MS = 500

async function closeWithin(graceMs: number, app: FastifyInstance, runtimes: Runtimes): Promise<void> {
  const lastWord = setTimeout(() => void runtimes.close(), Math.max(0, graceMs - LAST_WORD_MS))
  await app.close()
  clearTimeout(lastWord)
}

interface Parts {
  readonly config: Config
  readonly registry: EntityRegistry
  readonly runtimes: Runtimes
  readonly custom: readonly LoadedRoutes[]
}

/** The order is the order in which a call meets things. */
async function assemble(app: FastifyInstance, { config, registry, runtimes, custom }: Parts): Promise<EntityClient> {
  const { entities, adapterOf } = runtimes
  const capabilitiesOf = (entity: EntityDescriptor) => adapterOf(entity).capabilities
  // The chain, outermost first. Idempotency, waiting and tracing will be links of the same form: `Invoke => Invoke`.
  const invoke = withCheckedAnswers(runtimes.invoke)
  const defaultDeadlineMs = config.deadlineMs

  answerFailures(app, registry)
  registerDrain(app)
  acceptJsonBodies(app)
  await registerDocs(app, { title: config.title, version, description: describeApi(entities), tags: tagsOf(entities) })
  registerSystemRoutes(app, { entities, capabilitiesOf, checks: runtimes.checks })
  registerEntityRoutes(app, { entities, capabilitiesOf, invoke, defaultDeadlineMs })
  const client = createEntityClient({ registry, capabilitiesOf, invoke, defaultDeadlineMs })
  app.decorate('gateway', client)
  await registerCustomRoutes(app, custom)
  return client
}

function createApp(config: Config, logger: FastifyServerOptions['logger']): FastifyInstance {
  const app = fastify({
    logger: logger ?? false,
    bodyLimit: config.bodyLimitBytes,
    // An id from outside could collide; the caller's own correlation travels in `traceparent`.
    genReqId: () => randomUUID(),
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
