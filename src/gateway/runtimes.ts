import { compileEntities } from '../entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { createHints } from '../entity-registry/hints.ts'
import { type LoadedDocument, loadMetadata } from '../entity-registry/load-metadata.ts'
import { MetadataError } from '../entity-registry/metadata-error.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import {
  type AdapterEntry,
  type AdapterName,
  type AdapterOptions,
  adapters as catalog,
} from '../runtime-adapters/catalog.ts'
import type {
  AdapterContext,
  Capabilities,
  HealthCheck,
  Invoke,
  Log,
  RuntimeAdapter,
} from '../runtime-adapters/contract.ts'
import { allEnded } from './all-ended.ts'
import type { Config } from './config.ts'
import { overridesOf } from './overrides-of.ts'
import { createParting } from './reload/parting.ts'
import { createServerMap, ownOf, prepareRuntimes } from './reload/prepare-runtimes.ts'
import { shareOf } from './replica-share.ts'

/** One configured runtime, before it is started. */
export interface Instance {
  readonly name: string
  readonly adapter: AdapterName
  readonly options: AdapterOptions
}

/** The runtimes, for as long as the process lives; which entities they serve may change meanwhile. */
export interface Runtimes {
  /** Those that serve now. */
  readonly adapters: ReadonlyMap<string, RuntimeAdapter>
  /** The entities that they were made for. */
  readonly first: ServedEntities & DescribedEntities
  /** To the adapter that serves the invocation's entity. */
  readonly invoke: Invoke
  /** Whether a call of any runtime may have this id. */
  suits(id: string): boolean
  /** @throws when a runtime can't be reached */
  start(): Promise<void>
  /** @throws when they can't be served; then everything is as it was */
  prepare(entities: readonly EntityDescriptor[]): Promise<PreparedRuntimes>
  checks(): Promise<readonly HealthCheck[]>
  close(): Promise<void>
}

export interface ServedEntities {
  readonly entities: readonly EntityDescriptor[]
  capabilitiesOf(entity: EntityDescriptor): Capabilities
}

/** Runtimes that are ready for other entities. One of the two functions has to be called. */
export interface PreparedRuntimes extends ServedEntities {
  /**
   * Adapters whose place was taken end when their calls are answered. Can't fail.
   * @param disused resolves when nobody is left who may make such calls
   */
  commit(disused: Promise<unknown>): void
  abandon(): Promise<void>
}

/** What the metadata and the overrides say of all runtimes' entities. */
export interface DescribedEntities {
  readonly entities: readonly EntityDescriptor[]
  /** Names of those that the operator hides. */
  readonly hidden: ReadonlySet<string>
  /** See `Hints`. */
  readonly hints: readonly string[]
}

/** Metadata of all runtimes, without starting any. @throws MetadataError with every problem */
export async function describeEntities(config: Config): Promise<DescribedEntities> {
  const instances = instancesOf(config)
  const documents = [...loadMetadata(config.metadata), ...(await describeAll(instances))]
  if (documents.length === 0) {
    throw new Error('There is no metadata. Set GATEWAY_METADATA to the documents of your entities.')
  }
  const overrides = overridesOf(config)
  const assigned = documents.map((loaded) => assignRuntime(loaded, instances))
  const hidden = [...overrides.byName].flatMap(([name, { expose }]) => (expose === false ? [name] : []))
  const hints = createHints()
  const entities = compileEntities(assigned, overrides, hints.note)
  return { entities, hidden: new Set(hidden), hints: hints.said }
}

export function warnOfHints({ hints }: DescribedEntities, log: Log): void {
  for (const hint of hints) log.warn({ hint }, 'the metadata may not say what was meant')
}

/** Who is told what adapters see. */
export type Onlookers = Pick<AdapterContext, 'strays' | 'watch'>

/** @throws when the metadata is wrong or a runtime's options are */
export async function createRuntimes(config: Config, log: Log, onlookers: Onlookers): Promise<Runtimes> {
  const described = await describeEntities(config)
  const { entities } = described
  warnOfHints(described, log)
  const share = shareOf(config)
  const context = { log, ...onlookers, ...(share && { share }) }
  const instances = instancesOf(config)
  const create = ({ name, adapter, options }: Instance, all: readonly EntityDescriptor[]) =>
    entryOf(adapter).create(options, { instance: name, entities: ownOf(name, all), ...context })
  const adapters = new Map<string, RuntimeAdapter>()
  for (const instance of instances) adapters.set(instance.name, await create(instance, entities))
  const servers = createServerMap(adapters, entities)
  const parting = createParting(config.invocationLifetimeMs)
  const all = () => [...adapters.values()]
  return {
    adapters,
    first: { ...described, capabilitiesOf: (entity) => servers.of(entity).capabilities },
    invoke: (invocation) => servers.of(invocation.target.entity).invoke(invocation),
    suits: (id) => all().every((adapter) => adapter.suits?.(id) ?? true),
    async start() {
      await Promise.all(all().map((adapter) => adapter.start()))
    },
    prepare: (next) => prepareRuntimes(next, { instances, adapters, servers, parting, create }),
    async checks() {
      return (await Promise.all([...adapters].map(([name, adapter]) => namedChecks(name, adapter)))).flat()
    },
    async close() {
      await allEnded([...all().map((adapter) => adapter.close()), parting.close()])
    },
  }
}

function entryOf(name: AdapterName): AdapterEntry {
  return catalog[name]
}

async function namedChecks(instance: string, adapter: RuntimeAdapter): Promise<readonly HealthCheck[]> {
  const checks = await adapter.health()
  return checks.map((check) => ({ ...check, name: `${instance}: ${check.name}` }))
}

function instancesOf(config: Config): readonly Instance[] {
  const limits = { maxCalls: config.maxPending, maxBytes: config.maxPendingBytes }
  const hasMetadata = config.metadata.length > 0
  const configured: NonNullable<Config['runtimes']> = config.runtimes ?? {
    [config.runtime]: { adapter: config.runtime },
  }
  return Object.entries(configured).map(([name, own]) => ({
    name,
    adapter: own.adapter,
    options: {
      ...{ limits, hasMetadata },
      kafka: { ...config.kafka, ...own.kafka },
      stateflow: { ...config.stateflow, ...own.stateflow },
      statefun: { ...config.statefun, ...own.statefun },
      statefunEndpoint: { ...config.statefunEndpoint, ...own.statefunEndpoint },
      embedded: { ...config.embedded, ...own.embedded },
    },
  }))
}

async function describeAll(instances: readonly Instance[]): Promise<readonly LoadedDocument[]> {
  const found = await Promise.all(
    instances.map(({ name, adapter, options }) => {
      return entryOf(adapter).describe?.(options, name) ?? []
    }),
  )
  return found.flat()
}

/** A document without a runtime's name belongs to the only instance there is. */
function assignRuntime(loaded: LoadedDocument, instances: readonly Instance[]): LoadedDocument {
  const names = instances.map(({ name }) => name)
  const given = loaded.document.runtime?.name
  if (given !== undefined && names.includes(given)) return loaded
  const problem = (message: string, hint?: string) =>
    new MetadataError([{ file: loaded.file, pointer: given === undefined ? '' : '/runtime/name', message, hint }])
  if (given !== undefined) {
    const hint =
      didYouMean(given, names) ?? `Configured: ${names.join(', ')}. Set GATEWAY_RUNTIME, or name it under "runtimes".`
    throw problem(`no runtime instance is called "${given}".`, hint)
  }
  const [only, ...others] = names
  if (only === undefined || others.length > 0) {
    throw problem(
      'the document must say in "runtime.name" which instance serves it.',
      `Configured: ${names.join(', ')}.`,
    )
  }
  return { ...loaded, document: { ...loaded.document, runtime: { ...loaded.document.runtime, name: only } } }
}
