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
    explainMiss([path = '', , member, ...rest], isShown = () => true) {
      const entity = paths.get(path)
      if (entity === undefined || !isShown(entity)) {
        const shown = entities.filter((each) => isShown(each)).map((each) => each.path)
        return { detail: `There is no entity type "${path}".`, hint: didYouMean(path, shown) }
      }
      if (member === undefined) return { detail: `There is no such route of ${entity.name}.`, hint: undefined }
      const members = [...entity.methods.values(), ...entity.attributes.values()].filter((each) =>
        isShown(entity, each),
      )
      const found = members.find(({ name }) => name === member)
      if (found !== undefined) return explainPlace(entity, found, rest)
      const hint = didYouMean(
        member,
        members.map(({ name }) => name),
      )
      return { detail: `${entity.name} has no method or attribute "${member}".`, hint }
    },
  }
}

/** There is such a member, but not there: the operator has moved it, or the address goes on behind its name, be it by a slash. */
function explainPlace(
  { name: entity, path }: EntityDescriptor,
  member: MethodDescriptor | AttributeDescriptor,
  rest: readonly string[],
): ReturnType<EntityRegistry['explainMiss']> {
  const { name } = member
  const moved = 'binding' in member ? member.binding?.path : undefined
  if (moved === undefined && rest.length === 0)
    return { detail: `The runtime of ${entity} can’t be asked for ${name}.`, hint: undefined }
  return { detail: `There is no such route of ${entity}.`, hint: `${name} is at ${moved ?? `/${path}/{key}/${name}`}.` }
}
