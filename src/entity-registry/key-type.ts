import type { JsonSchema } from './descriptor.ts'
import type { MetadataEntity } from './metadata-schema.ts'

type Entities = ReadonlyMap<string, MetadataEntity>

/** The type of an entity's key; where that is a reference, the type of the key it leads to. `undefined`: it leads to none. */
export function keyType(entity: MetadataEntity, byName: Entities): JsonSchema | undefined {
  const schema = keyPath(entity, byName).at(-1)?.key.schema
  return schema === undefined || 'entity' in schema ? undefined : schema
}

/** The names that a key's references go round in, from the entity to itself; `undefined`: they don't. */
export function keyRing(entity: MetadataEntity, byName: Entities): readonly string[] | undefined {
  const path = keyPath(entity, byName)
  const last = path.at(-1)
  const isRing = last !== undefined && referredByKey(last, byName) === entity
  return isRing ? [...path, entity].map(({ name }) => name) : undefined
}

/** The entity, and those that its key leads to one after the other, each of them once. */
function keyPath(entity: MetadataEntity, byName: Entities): readonly MetadataEntity[] {
  const path = new Set<MetadataEntity>()
  let next: MetadataEntity | undefined = entity
  while (next !== undefined && !path.has(next)) {
    path.add(next)
    next = referredByKey(next, byName)
  }
  return [...path]
}

function referredByKey({ key: { schema } }: MetadataEntity, byName: Entities): MetadataEntity | undefined {
  return 'entity' in schema ? byName.get(String(schema.entity)) : undefined
}
