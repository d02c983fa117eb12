import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { InvocationRecord } from '../../routes/invocation-store.ts'
import type { Target } from '../../runtime-adapters/contract.ts'

type Asked = InvocationRecord['asked']

/** What records may name: the entities there are, and what there was of others before they were loaded anew. */
export interface KnownEntities {
  add(entities: readonly EntityDescriptor[]): void
  targetOf(asked: Asked): Target | undefined
}

export function createKnownEntities(): KnownEntities {
  /** By the entity's name, and by the member's behind it: the latest descriptor that has it. Names are few, so all are kept. */
  const latest = new Map<string, EntityDescriptor>()
  return {
    add(entities) {
      for (const entity of entities) {
        latest.set(entity.name, entity)
        for (const member of [...entity.methods.keys(), ...entity.attributes.keys()]) {
          latest.set(`${entity.name}.${member}`, entity)
        }
      }
    },
    targetOf(asked) {
      const entity = latest.get(asked.member === undefined ? asked.entity : `${asked.entity}.${asked.member}`)
      return entity && targetIn(entity, asked)
    },
  }
}

function targetIn(entity: EntityDescriptor, { kind, key, member = '' }: Asked): Target | undefined {
  if (kind === 'create') return { kind, entity }
  if (key === undefined) return undefined
  const attribute = entity.attributes.get(member)
  const method = entity.methods.get(member)
  switch (kind) {
    case 'find':
    case 'read-state':
      return { kind, entity, key }
    case 'read-attribute':
      return attribute && { kind, entity, key, attribute }
    case 'write-attribute':
      return attribute && { kind, entity, key, attribute, value: undefined }
    case 'call':
      return method && { kind, entity, key, method }
  }
}
