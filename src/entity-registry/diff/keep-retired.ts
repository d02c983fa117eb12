import { deepFreeze } from '../deep-freeze.ts'
import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor, Retirement } from '../descriptor.ts'
import { memberRoutes, routesOf } from './taken-routes.ts'

export interface Keeping {
  readonly nowMs: number
  /** Milliseconds that what is gone goes on being served; what was kept before keeps its own time. */
  readonly sunsetMs: number
  /** Entities that the operator hides: his word counts at once. */
  readonly hidden: ReadonlySet<string>
}

/**
 * The new entities, and for a time what only the old ones have. Whatever of that stands in the way of something new is left out.
 * @param before as they are served now, with what was kept of still older ones
 */
export function keepRetired(
  before: readonly EntityDescriptor[],
  now: readonly EntityDescriptor[],
  keeping: Keeping,
): readonly EntityDescriptor[] {
  const old = new Map(before.map((entity) => [entity.name, entity]))
  const names = new Set(now.map(({ name }) => name))
  const paths = new Set(now.map(({ path }) => path))
  const gone = before.filter(({ name, path }) => !names.has(name) && !paths.has(path) && !keeping.hidden.has(name))
  const taken = new Set(now.flatMap(routesOf))
  return deepFreeze([
    ...now.map((entity) => {
      const earlier = old.get(entity.name)
      return earlier === undefined ? entity : withRetiredMembers(entity, earlier, { ...keeping, taken })
    }),
    ...gone.filter((entity) => isFree(routesOf(entity), taken)).flatMap((entity) => retired(entity, keeping)),
  ])
}

/** When the next of them ends; `undefined`: none is kept. */
export function nextSunsetMs(entities: readonly EntityDescriptor[]): number | undefined {
  const times = entities.flatMap(({ retirement, methods, attributes }) =>
    [retirement, ...[...methods.values(), ...attributes.values()].map((member) => member.retirement)].flatMap(
      (one) => one?.sunsetAtMs ?? [],
    ),
  )
  return times.length === 0 ? undefined : Math.min(...times)
}

/** Routes of what is new. */
type Taken = ReadonlySet<string>

function isFree(routes: readonly string[], taken: Taken): boolean {
  return routes.every((route) => !taken.has(route))
}

function withRetiredMembers(
  now: EntityDescriptor,
  before: EntityDescriptor,
  keeping: Keeping & { readonly taken: Taken },
): EntityDescriptor {
  // Other keys or another runtime: nothing of the old entity can be asked any more.
  if (now.key.type !== before.key.type || now.runtimeName !== before.runtimeName) return now
  const names = new Set([...now.methods.keys(), ...now.attributes.keys(), ...now.hidden.map(({ name }) => name)])
  const keep = <T extends MethodDescriptor | AttributeDescriptor>(members: ReadonlyMap<string, T>) =>
    [...members.values()]
      .filter((member) => !names.has(member.name) && isFree(memberRoutes(now, member), keeping.taken))
      .flatMap((member) => retired(member, keeping))
      .map((member) => [member.name, member] as const)
  const methods = keep(before.methods)
  const attributes = keep(before.attributes)
  if (methods.length + attributes.length === 0) return now
  return {
    ...now,
    methods: new Map([...now.methods, ...methods]),
    attributes: new Map([...now.attributes, ...attributes]),
  }
}

/** Not at all when its time is over. */
function retired<T extends { readonly retirement?: Retirement }>(one: T, keeping: Keeping): readonly T[] {
  const { nowMs, sunsetMs } = keeping
  const retirement = one.retirement ?? { deprecatedAtMs: nowMs, sunsetAtMs: nowMs + sunsetMs }
  return retirement.sunsetAtMs > nowMs ? [{ ...one, retirement }] : []
}
