import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { EntityRegistry } from '../entity-registry/registry.ts'
import { createAnswering } from '../routes/answering.ts'
import { createBatchPlaces } from '../routes/batch-places.ts'
import { withCheckedAnswers } from '../routes/checked-answers.ts'
import type { EntityClient } from '../routes/entity-client.ts'
import type { InvocationStore } from '../routes/invocation-store.ts'
import { createAuthentication } from './access/authentication.ts'
import { createLog } from './app.ts'
import { allChecks } from './checks.ts'
import type { Config } from './config.ts'
import { type CustomRoutes, loadCustomRoutes } from './custom-routes.ts'
import { type Address, createFront, type Front } from './front.ts'
import { createGeneration } from './generation.ts'
import { createGenerations, type Generations } from './generations.ts'
import { createInvocationIds, type InvocationIds } from './invocation-ids.ts'
import { createStore } from './invocations/create-store.ts'
import { createSteadyStore } from './invocations/steady-store.ts'
import { createStrayKeeper, REPLICA_DIGITS, type StrayKeeper } from './invocations/stray-keeper.ts'
import { createLimits, type Limits } from './limits/limits.ts'
import { createObservability } from './observability/observability.ts'
import { createUnusableAnswers } from './observability/unusable-answers.ts'
import { createDrain } from './plugins/drain.ts'
import type { ProcessParts } from './process-parts.ts'
import { warnOfOpenDoors } from './protection.ts'
import type { ReloadResult } from './reload/reload.ts'
import { createReloading, type Reloading, sourcesOf } from './reload/reloading.ts'
import { createSwap } from './reload/swap.ts'
import { markFiles } from './reload/watch-files.ts'
import { shareOf } from './replica-share.ts'
import { createRuntimes, type Runtimes, type ServedEntities } from './runtimes.ts'
import { closeWithin } from './shutdown.ts'
import type { WorkerSeat } from './workers/worker-seat.ts'

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
  /** It is one of several workers behind one port. */
  readonly worker?: WorkerSeat | undefined
}

export interface Gateway extends EntityClient {
  /** The Fastify instance that serves now, ready. After a reload it is another one, so `listen` is the gateway's own. */
  readonly app: FastifyInstance
  /** The same of the management port, where `http.managementPort` is set. */
  readonly management: FastifyInstance | undefined
  readonly registry: EntityRegistry
  readonly runtimes: Runtimes
  /** The server of all generations; it listens after `listen`. */
  readonly server: Server
  /**
   * Where the configuration says, or there; on the management port too.
   * @returns the addresses, the first being the one to show
   */
  listen(address?: Partial<Address>): Promise<readonly string[]>
  /** Reads metadata, overrides and callers' keys in files again; calls under way end with the entities that they began with. */
  reload(): Promise<ReloadResult>
  /** No new calls; those under way end or are answered; then everything is closed. May be called twice. */
  close(): Promise<void>
}

/** The composition root: everything that a running gateway is made of, from top to bottom. */
export async function buildGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, routes = [], logger = false, connect: isServing = true, worker } = options
  const log = createLog(logger)
  const replica = worker?.space?.replica ?? randomBytes(REPLICA_DIGITS / 2).toString('hex')
  const ids = createInvocationIds(replica)
  const observed = createObservability(config.observe, config.logRequests)
  const store = createSteadyStore(observed.watchStore(worker?.space?.store ?? (await createStore(config, log))))
  const strays = createStrayKeeper({ store, replica, log, kin: worker?.space?.kin })
  const onlookers = { strays, ...(observed.records && { watch: observed.records }) }
  const limits = await createLimits({ config, log, page: observed.page })
  const marks = markFiles(sourcesOf(config))
  const runtimes = await createRuntimes(config, log, onlookers)
  const drain = createDrain(config.shutdownGraceMs)
  const front = createFront(config.http, drain.watch)
  const managementFront = config.http.managementPort === undefined ? undefined : createFront(config.http)
  const unusable = createUnusableAnswers(log)
  // The chain of `Invoke => Invoke`, outermost first.
  const handed = observed.watchCalls(withCheckedAnswers(runtimes.invoke, unusable.note))
  const invoke = limits.bound(handed)
  const answering = createAnswering({ invoke, store, replica, lifetimeMs: config.invocationLifetimeMs })
  try {
    const custom = [...(await loadCustomRoutes(config.routes)), ...routes.map((plugin) => ({ plugin }))]
    const authentication = createAuthentication(config.access, log)
    if (isServing) warnOfOpenDoors(config, authentication, log)
    if (isServing) await connectAll({ config, store, strays, limits, runtimes, ids })
    const checks = () => allChecks({ runtimes, store, limits, unusable, reloading, drain })
    const shared = { config, log, store, invoke, handed, answering, authentication, limits, custom, observed, drain }
    const batchPlaces = createBatchPlaces(config.maxBatches)
    const parts: ProcessParts = { ...shared, batchPlaces, newId: ids.next, checks, isServing, worker }
    const make = (served: ServedEntities) => createGeneration(parts, served, logger === false ? undefined : log)
    const generations = createGenerations(await make(runtimes.first), { front, managementFront, config, log })
    const swap = createSwap({ runtimes, strays, generations, drain, make })
    const told = { config, log, page: observed.page, marks, first: runtimes.first }
    const reloading = createReloading({ ...told, authentication, generations, swap })
    const unwatch = observed.watchProcess({ adapters: runtimes.adapters, strays })
    if (isServing) reloading.start()
    const ending = { ...{ config, drain, front, managementFront, generations, reloading }, unwatch }
    const close = () => closeWithin({ ...ending, limits, runtimes, answering, strays, store })
    return asGateway({ config, runtimes, generations, reloading, front, managementFront, close })
  } catch (error) {
    for (const part of [runtimes, limits, strays, store]) await part.close()
    throw error
  }
}

interface Connected {
  readonly config: Config
  readonly store: InvocationStore
  readonly strays: StrayKeeper
  readonly limits: Limits
  readonly runtimes: Runtimes
  readonly ids: InvocationIds
}

/** In the order in which nobody is told of what nobody can keep. */
async function connectAll({ config, store, strays, limits, runtimes, ids }: Connected): Promise<void> {
  const share = shareOf(config)
  await store.start()
  await strays.start(runtimes.first.entities)
  await limits.start()
  await runtimes.start()
  ids.restrict(runtimes.suits)
  if (share !== undefined) await strays.hold(share)
}

interface GatewayParts {
  readonly config: Config
  readonly front: Front
  readonly managementFront: Front | undefined
  readonly runtimes: Runtimes
  readonly generations: Generations
  readonly reloading: Reloading
  readonly close: () => Promise<void>
}

/** What belongs to a generation is asked of the one that serves. */
function asGateway(parts: GatewayParts): Gateway {
  const { config, runtimes, generations, reloading, front, managementFront } = parts
  let closing: Promise<void> | undefined
  return {
    runtimes,
    server: front.server,
    get app() {
      return generations.current.app
    },
    get management() {
      return generations.current.management
    },
    get registry() {
      return generations.current.registry
    },
    get entity() {
      return generations.current.client.entity
    },
    get create() {
      return generations.current.client.create
    },
    async listen(address) {
      if (closing !== undefined) throw new Error('The gateway is closed, and can’t listen any more.')
      const { managementHost, managementPort = 0 } = config.http
      // The management port first: who is told that the gateway listens may ask there at once.
      await managementFront?.listen({ host: managementHost, port: managementPort })
      return front.listen({ host: config.host, port: config.port, ...address })
    },
    reload: () => reloading.reload(),
    close() {
      closing ??= parts.close()
      return closing
    },
  }
}
