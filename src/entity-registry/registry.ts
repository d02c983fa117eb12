import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor } from './descriptor.ts'
import { didYouMean } from './nearest-name.ts'

/** Whether a caller may be told that there is such an entity, or such a member of it. */
export type IsShown = (entity: EntityDescriptor, member?: MethodDescriptor | AttributeDescriptor) => boolean

/** The entities that exist, by name and by path. Immutable: a reload makes a new one. */
export interface EntityRegistry {
  readonly entities: readonly EntityDescriptor[]
  byName(name: string): EntityDescriptor | undefined
  byPath(path: string): EntityDescriptor | undefined
  /** Why a path of the API leads nowhere, in words, with the nearest name. */
  explainMiss(
    segments: readonly string[],
    isShown?: IsShown,
  ): { readonly detail: string; readonly hint: string | undefined }
}

export function createRegistry(entities: readonly EntityDescriptor[]): EntityRegistry {
  const names = new Map(entities.map((entity) => [entity.name, entity]))
  const paths = new Map(entities.map((entity) => [entity.path, entity]))
  return {
    entities,
    byName: (name) => names.get(name),
    byPath: (path) => paths.get(path),
    explainMiss([path = '', , member], isShown = () => true) {
      const entity = paths.get(path)
      if (entity === undefined || !isShown(entity)) {
        const shown = entities.filter((each) => isShown(each)).map((each) => each.path)
        return { detail: `There is no entity type "${path}".`, hint: didYouMean(path, shown) }
      }
      if (member === undefined) return { detail: `There is no such route of ${entity.name}.`, hint: undefined }
      const members = [...entity.methods.values(), ...entity.attributes.values()]
        .filter((each) => isShown(entity, each))
        .map(({ name }) => name)
      return { detail: `${entity.name} has no method or attribute "${member}".`, hint: didYouMean(member, members) }
    },
  }
}
