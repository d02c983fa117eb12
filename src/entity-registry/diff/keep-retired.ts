import { deepFreeze } from '../deep-freeze.ts'
import type { EntityDescriptor, Retirement } from '../descriptor.ts'

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
  return deepFreeze([
    ...now.map((entity) => {
      const earlier = old.get(entity.name)
      return earlier === undefined ? entity : withRetiredMembers(entity, earlier, keeping)
    }),
    ...gone.flatMap((entity) => retired(entity, keeping)),
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

function withRetiredMembers(now: EntityDescriptor, before: EntityDescriptor, keeping: Keeping): EntityDescriptor {
  // Other keys or another runtime: nothing of the old entity can be asked any more.
  if (now.key.type !== before.key.type || now.runtimeName !== before.runtimeName) return now
  const taken = new Set([...now.methods.keys(), ...now.attributes.keys(), ...now.hidden.map(({ name }) => name)])
  const paths = new Set([...now.methods.values()].map(({ binding }) => binding?.path))
  const methods = [...before.methods.values()].filter(({ binding }) => {
    return binding?.path === undefined || !paths.has(binding.path)
  })
  const keptMethods = keep(methods, taken, keeping)
  const keptAttributes = keep([...before.attributes.values()], taken, keeping)
  if (keptMethods.length + keptAttributes.length === 0) return now
  return {
    ...now,
    methods: new Map([...now.methods, ...keptMethods.map((one) => [one.name, one] as const)]),
    attributes: new Map([...now.attributes, ...keptAttributes.map((one) => [one.name, one] as const)]),
  }
}

function keep<T extends { readonly name: string; readonly retirement?: Retirement }>(
  members: readonly T[],
  taken: ReadonlySet<string>,
  keeping: Keeping,
): readonly T[] {
  return members.filter(({ name }) => !taken.has(name)).flatMap((member) => retired(member, keeping))
}

/** Not at all when its time is over. */
function retired<T extends { readonly retirement?: Retirement }>(one: T, keeping: Keeping): readonly T[] {
  const { nowMs, sunsetMs } = keeping
  const retirement = one.retirement ?? { deprecatedAtMs: nowMs, sunsetAtMs: nowMs + sunsetMs }
  return retirement.sunsetAtMs > nowMs ? [{ ...one, retirement }] : []
}
