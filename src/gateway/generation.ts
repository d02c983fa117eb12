import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { createRegistry, type EntityRegistry } from '../entity-registry/registry.ts'
import { registerBatchRoutes } from '../routes/batch-routes.ts'
import type { BatchLimits } from '../routes/batch-run.ts'
import { createEntityClient, type EntityClient } from '../routes/entity-client.ts'
import { registerEntityRoutes } from '../routes/entity-routes.ts'
import { answerFailures } from '../routes/failures.ts'
import { registerInvocationRoutes } from '../routes/invocation-routes.ts'
import { acceptJsonBodies } from '../routes/json-body.ts'
import { registerSystemRoutes } from '../routes/system-routes.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { registerCustomRoutes } from './custom-routes.ts'
import type { Handle } from './front.ts'
import { createManagement } from './management.ts'
import { type CanaryCalls, createCanaryCalls } from './observability/canary-calls.ts'
import { type DocsOptions, registerDocs } from './plugins/docs.ts'
import type { ProcessParts } from './process-parts.ts'
import { protect } from './protection.ts'
import { createRequestCount } from './request-count.ts'
import type { ServedEntities } from './runtimes.ts'
import { version } from './version.ts'

/** One set of entities and everything that is made from it: routes, their document, checks. Fastify's routes can't change once it is ready. */
export interface Generation {
  readonly app: FastifyInstance
  readonly management: FastifyInstance | undefined
  readonly registry: EntityRegistry
  readonly client: EntityClient
  readonly handle: Handle
  readonly handleManagement: Handle | undefined
  /** It serves from now on. */
  begin(): void
  /** Another serves: it ends when its requests have, or when they have had so many milliseconds. */
  retire(patienceMs: number): Promise<void>
  /** It takes no more; resolves when its requests have ended. */
  close(): Promise<void>
}

/** `''`: nobody has shown who he is. */
const principalOf = ({ caller }: FastifyRequest) => caller.principal

/** Ready, and not serving yet. @throws where the entities, or a plugin, can't be served */
export async function createGeneration(
  parts: ProcessParts,
  served: ServedEntities,
  log: FastifyBaseLogger | undefined,
): Promise<Generation> {
  const { config, handed: invoke, newId, observed, isServing } = parts
  const registry = createRegistry(served.entities)
  const canaryCalls = isServing ? [...config.observe.canaryCalls] : []
  const canaryOptions = { ...config.observe, canaryCalls }
  const { page, canaryChecks: known } = observed
  const canaries = createCanaryCalls({ options: canaryOptions, registry, invoke, newId, page, known })
  const app = createApp(config, { log, newId })
  const count = createRequestCount(app.routing)
  const { client, management } = await orClosed(app, async () => {
    const assembled = await assemble(app, { parts, served, registry, canaries })
    // The last of all hooks: what has to be told that the end has come knows by then.
    await app.register(async (scope) => scope.addHook('preClose', () => count.ended(config.shutdownGraceMs)))
    await app.ready()
    return assembled
  })
  const close = async () => {
    canaries.close()
    await app.close()
    // It answers to the end.
    await management?.close()
  }
  return {
    ...{ app, management, registry, client, close },
    handle: count.handle,
    handleManagement: management?.routing,
    begin: () => canaries.start(),
    async retire(patienceMs) {
      canaries.close()
      await count.ended(patienceMs)
      await close()
    },
  }
}

/** A plugin that was registered before another one failed may have opened something. */
async function orClosed<T>(app: FastifyInstance, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await app.close().catch(() => undefined)
    throw error
  }
}

interface Assembly {
  readonly parts: ProcessParts
  readonly served: ServedEntities
  readonly registry: EntityRegistry
  readonly canaries: CanaryCalls
}

interface Assembled {
  readonly client: EntityClient
  readonly management: FastifyInstance | undefined
}

/** The order is the order in which a call meets things. */
async function assemble(app: FastifyInstance, { parts, served, registry, canaries }: Assembly): Promise<Assembled> {
  const { config, custom, store, invoke, answering, newId, observed, isServing, authentication, limits, worker } = parts
  const { entities, capabilitiesOf } = served
  const { deadlineMs: defaultDeadlineMs, maxWaitMs } = config

  observed.registerHooks(app, principalOf)
  // `access` comes below: before the first request.
  answerFailures(app, registry, (request) => access.shownTo(request))
  const access = protect(app, { config, authentication, drain: parts.drain, isServing })
  limits.registerHooks(app)
  const { authorize, checkManagement } = access
  const { admit } = limits
  acceptJsonBodies(app)
  const described = { title: config.title, version, ...describeApi(entities) }
  await registerDocs(app, { ...described, access })
  const ownChecks = async () => [...(await parts.checks()), ...canaries.checks()]
  const system = { entities, capabilitiesOf, checks: worker?.showChecks(ownChecks) ?? ownChecks }
  const management = createManagement({ config, registry, system, newId })
  registerSystemRoutes(app, { ...system, checkManagement, isManaged: management === undefined })
  observed.registerRoutes(management ?? app, worker)
  await management?.ready()
  registerInvocationRoutes(app, { store, principalOf, maxWaitMs })
  const calls = { entities, capabilitiesOf, answering, principalOf, authorize, admit, defaultDeadlineMs, maxWaitMs }
  registerEntityRoutes(app, calls)
  await registerBatchRoutes(app, {
    ...{ ...calls, newId, limits: batchLimitsOf(config) },
    ...{ places: parts.batchPlaces, onLine: observed.noteLine },
    renew: access.renew,
    viewOf: (request) => ({
      isShown: access.shownTo(request),
      admit: (operation) => access.admit(request, operation),
    }),
  })
  const client = createEntityClient({ registry, capabilitiesOf, invoke, newId, defaultDeadlineMs })
  app.decorate('gateway', client)
  await registerCustomRoutes(app, custom)
  return { client, management }
}

function batchLimitsOf(config: Config): BatchLimits {
  const { batchInFlight, batchInFlightBytes, bodyLimitBytes, batchIdleMs } = config
  return { maxLines: batchInFlight, maxBytes: batchInFlightBytes, maxLineBytes: bodyLimitBytes, idleMs: batchIdleMs }
}

function describeApi(entities: readonly EntityDescriptor[]): Pick<DocsOptions, 'description' | 'tags'> {
  const applications = [...new Set(entities.map(({ application }) => application))].join(', ')
  const description =
    `The entities of ${applications}. Failures are problem details (RFC 9457); their \`outcome\` says whether the call may ` +
    'have happened, `retry` whether to send it again.'
  return { description, tags: tagsOf(entities) }
}

/** By name, since a document has each once: an entity may be called as the gateway is. */
function tagsOf(entities: readonly EntityDescriptor[]): DocsOptions['tags'] {
  const tags = new Map([
    ...entities.map(({ name, description }) => [name, description || `The entity ${name}.`] as const),
    ['gateway', 'The gateway itself.'],
  ])
  return [...tags].map(([name, description]) => ({ name, description }))
}
