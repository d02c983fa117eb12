import type { Invocation, Key } from '../../runtime-adapters/contract.ts'

/** Calls under way of one entity type. Outlives a reload of its metadata: it is known by its name. */
export interface EntityCalls {
  all: number
  /** An entity without calls is not in it. */
  readonly byKey: Map<Key, number>
}

export function createKeyCounts(): (entityName: string) => EntityCalls {
  const entities = new Map<string, EntityCalls>()
  return (name) => {
    const known = entities.get(name)
    if (known !== undefined) return known
    const made: EntityCalls = { all: 0, byKey: new Map() }
    entities.set(name, made)
    return made
  }
}

export function addCall(calls: EntityCalls, key: Key | undefined): void {
  calls.all++
  if (key !== undefined) calls.byKey.set(key, (calls.byKey.get(key) ?? 0) + 1)
}

export function removeCall(calls: EntityCalls, key: Key | undefined): void {
  calls.all--
  if (key === undefined) return
  const left = (calls.byKey.get(key) ?? 1) - 1
  if (left === 0) calls.byKey.delete(key)
  else calls.byKey.set(key, left)
}

/** The entity that a call is for; `undefined` where the runtime chooses the key of what it creates. */
export function keyOf({ target, args }: Pick<Invocation, 'target' | 'args'>): Key | undefined {
  if (target.kind !== 'create') return target.key
  const { keyParam } = target.entity.create ?? {}
  // The metadata's checks see to it that this argument is a key.
  return keyParam === undefined ? undefined : (args[keyParam] as Key | undefined)
}
