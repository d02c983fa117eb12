import { compileEntities } from '../entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../entity-registry/descriptor.ts'
import { type LoadedDocument, loadMetadata } from '../entity-registry/load-metadata.ts'
import { MetadataError } from '../entity-registry/metadata-error.ts'
import { didYouMean } from '../entity-registry/nearest-name.ts'
import { loadOverrides, noOverrides } from '../entity-registry/overrides.ts'
import {
  type AdapterEntry,
  type AdapterName,
  type AdapterOptions,
  adapters as catalog,
} from '../runtime-adapters/catalog.ts'
import type { AdapterContext, HealthCheck, Invoke, Log, RuntimeAdapter } from '../runtime-adapters/contract.ts'
import type { Config } from './config.ts'
import { shareOf } from './replica-share.ts'

/** One configured runtime, before it is started. */
interface Instance {
  readonly name: string
  readonly adapter: AdapterName
  readonly options: AdapterOptions
}

/** The entities, and the runtimes that serve them. */
export interface Runtimes {
  readonly entities: readonly EntityDescriptor[]
  readonly adapters: ReadonlyMap<string, RuntimeAdapter>
  adapterOf(entity: EntityDescriptor): RuntimeAdapter
  /** To the adapter that serves the invocation's entity. */
  readonly invoke: Invoke
  /** Whether a call of any runtime may have this id. */
  suits(id: string): boolean
  /** @throws when a runtime can't be reached */
  start(): Promise<void>
  checks(): Promise<readonly HealthCheck[]>
  close(): Promise<void>
}

/** Metadata of all runtimes, without starting any: what `check` and `openapi` need. */
export async function describeEntities(config: Config): Promise<readonly EntityDescriptor[]> {
  const instances = instancesOf(config)
  const documents = [...loadMetadata(config.metadata), ...(await describeAll(instances))]
  if (documents.length === 0) {
    throw new Error('There is no metadata. Set GATEWAY_METADATA to the documents of your entities.')
  }
  const overrides = config.overrides === undefined ? noOverrides : loadOverrides(config.overrides)
  return compileEntities(
    documents.map((loaded) => assignRuntime(loaded, instances)),
    overrides,
  )
}

/** Who is told what adapters see. */
export type Onlookers = Pick<AdapterContext, 'strays' | 'watch'>

/** @throws when the metadata is wrong or a runtime's options are */
export async function createRuntimes(config: Config, log: Log, onlookers: Onlookers): Promise<Runtimes> {
  const entities = await describeEntities(config)
  const adapters = new Map<string, RuntimeAdapter>()
  const share = shareOf(config)
  for (const { name, adapter, options } of instancesOf(config)) {
    const own = entities.filter(({ runtimeName }) => runtimeName === name)
    adapters.set(
      name,
      await entryOf(adapter).create(options, {
        instance: name,
        entities: own,
        log,
        ...onlookers,
        ...(share && { share }),
      }),
    )
  }
  const all = [...adapters.values()]
  const adapterOf = ({ runtimeName }: EntityDescriptor): RuntimeAdapter => {
    const adapter = adapters.get(runtimeName)
    if (adapter === undefined) throw new Error(`no runtime instance is called "${runtimeName}"`)
    return adapter
  }
  return {
    entities,
    adapters,
    adapterOf,
    invoke: (invocation) => adapterOf(invocation.target.entity).invoke(invocation),
    suits: (id) => all.every((adapter) => adapter.suits?.(id) ?? true),
    async start() {
      await Promise.all([...adapters.values()].map((adapter) => adapter.start()))
    },
    async checks() {
      const all = await Promise.all([...adapters].map(([name, adapter]) => namedChecks(name, adapter)))
      return all.flat()
    },
    async close() {
      await Promise.all([...adapters.values()].map((adapter) => adapter.close()))
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
  const {
    kafka,
    stateflow,
    statefun,
    statefunEndpoint,
    embedded,
    maxPending: maxCalls,
    maxPendingBytes: maxBytes,
  } = config
  const limits = { maxCalls, maxBytes }
  const common: AdapterOptions = { kafka, stateflow, statefun, statefunEndpoint, embedded, limits }
  if (config.runtimes === undefined) return [{ name: config.runtime, adapter: config.runtime, options: common }]
  return Object.entries(config.runtimes).map(([name, own]) => ({
    name,
    adapter: own.adapter,
    options: {
      ...common,
      kafka: { ...kafka, ...own.kafka },
      stateflow: { ...stateflow, ...own.stateflow },
      statefun: { ...statefun, ...own.statefun },
      statefunEndpoint: { ...statefunEndpoint, ...own.statefunEndpoint },
      embedded: { ...embedded, ...own.embedded },
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
