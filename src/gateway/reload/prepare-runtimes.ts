import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { PreparedEntities, RuntimeAdapter } from '../../runtime-adapters/contract.ts'
import type { Instance, PreparedRuntimes } from '../runtimes.ts'
import type { Parting } from './parting.ts'

/** Which adapter serves an entity: by the descriptor itself, since a call of an old one ends where it began. */
export interface ServerMap {
  of(entity: EntityDescriptor): RuntimeAdapter
  assign(entities: readonly EntityDescriptor[], adapter: RuntimeAdapter): void
}

export function createServerMap(
  adapters: ReadonlyMap<string, RuntimeAdapter>,
  entities: readonly EntityDescriptor[],
): ServerMap {
  const servers = new WeakMap<EntityDescriptor, RuntimeAdapter>()
  const assign: ServerMap['assign'] = (own, adapter) => {
    for (const entity of own) servers.set(entity, adapter)
  }
  for (const [name, adapter] of adapters) assign(ownOf(name, entities), adapter)
  return {
    assign,
    of(entity) {
      const adapter = servers.get(entity)
      if (adapter === undefined) throw new Error(`no runtime instance serves the entity ${entity.name}`)
      return adapter
    },
  }
}

export function ownOf(instance: string, entities: readonly EntityDescriptor[]): readonly EntityDescriptor[] {
  return entities.filter(({ runtimeName }) => runtimeName === instance)
}

export interface PreparingParts {
  readonly instances: readonly Instance[]
  readonly adapters: Map<string, RuntimeAdapter>
  readonly servers: ServerMap
  readonly parting: Parting
  readonly create: (instance: Instance, entities: readonly EntityDescriptor[]) => Promise<RuntimeAdapter>
}

/** One instance, ready for its entities. */
interface Readied extends PreparedEntities {
  readonly name: string
  readonly adapter: RuntimeAdapter
  /** It was made for them. */
  readonly isNew: boolean
}

/**
 * Adapters that run take the new entities where they can; where they can't, others are made and started beside them.
 * @throws when neither works; then everything is as it was
 */
export async function prepareRuntimes(
  entities: readonly EntityDescriptor[],
  parts: PreparingParts,
): Promise<PreparedRuntimes> {
  const { instances, adapters, servers, parting } = parts
  const ready: Readied[] = []
  const abandon = async () => {
    await Promise.all(ready.filter(({ isNew }) => isNew).map(({ adapter }) => adapter.close()))
  }
  try {
    for (const instance of instances) ready.push(await readyInstance(instance, entities, parts))
  } catch (error) {
    await abandon()
    throw error
  }
  const byName = new Map(ready.map((one) => [one.name, one]))
  return {
    entities,
    abandon,
    capabilitiesOf({ runtimeName }) {
      const one = byName.get(runtimeName)
      if (one === undefined) throw new Error(`no runtime instance is called "${runtimeName}"`)
      return one.capabilities
    },
    commit(disused) {
      for (const { name, adapter, isNew, commit } of ready) {
        const before = adapters.get(name)
        servers.assign(ownOf(name, entities), adapter)
        adapters.set(name, adapter)
        if (isNew && before !== undefined) parting.add(before, disused)
        commit()
      }
    },
  }
}

async function readyInstance(
  instance: Instance,
  entities: readonly EntityDescriptor[],
  { adapters, create }: PreparingParts,
): Promise<Readied> {
  const { name } = instance
  const running = adapters.get(name)
  const prepared = running?.prepare?.(ownOf(name, entities))
  if (running !== undefined && prepared !== undefined) return { ...prepared, name, adapter: running, isNew: false }
  const adapter = await create(instance, entities)
  try {
    await adapter.start()
  } catch (error) {
    await adapter.close()
    throw error
  }
  return { name, adapter, isNew: true, capabilities: adapter.capabilities, commit: () => {} }
}
