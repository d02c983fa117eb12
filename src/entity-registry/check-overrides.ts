import { contradictionIn } from './access-rule.ts'
import { type MetadataProblem, pointerSegment } from './metadata-error.ts'
import type { MetadataEntity } from './metadata-schema.ts'
import { didYouMean } from './nearest-name.ts'
import type { Override, Overrides } from './overrides.ts'

/**
 * What the overrides file says of things that don't exist, that contradicts itself, or that has no effect. A misspelt name would leave
 * public what was meant to be hidden, so it stops the start.
 */
export function overrideProblems(
  { file, byName }: Overrides,
  entities: readonly MetadataEntity[],
): readonly MetadataProblem[] {
  const known = kindsByName(entities)
  return [...byName].flatMap(([name, override]) =>
    [
      ...contradictions(override),
      ...misplaced(name, override),
      ...(known.has(name)
        ? []
        : [{ message: `nothing is called "${name}".`, hint: didYouMean(name, [...known.keys()]) }]),
      ...withoutEffect(override, known.get(name) ?? []),
    ].map((problem) => ({ file, pointer: `/${pointerSegment(name)}`, ...problem })),
  )
}

type Kind = 'entity' | 'method' | 'attribute' | 'key'
type Found = Pick<MetadataProblem, 'message' | 'hint'>

const ACCESS = ['scopes', 'owner', 'public'] as const
/** What may be said of each of them. */
const EFFECTIVE: Readonly<Record<Kind, readonly (keyof Override)[]>> = {
  entity: ['expose', 'path', 'create', 'read', ...ACCESS],
  method: ['expose', 'path', 'verb', 'safe', 'acceptLate', 'deadlineMs', ...ACCESS],
  attribute: ['expose', 'writable', ...ACCESS],
  // Written, it would leave an entity that disagrees with its own address.
  key: ['expose', ...ACCESS],
}

/** Everything that an override may be said of. A method and an attribute may share a name. */
export function kindsByName(entities: readonly MetadataEntity[]): ReadonlyMap<string, readonly Kind[]> {
  const kinds = new Map<string, Kind[]>()
  const add = (name: string, kind: Kind) => kinds.set(name, [...(kinds.get(name) ?? []), kind])
  for (const { name, key, methods, state = {} } of entities) {
    add(name, 'entity')
    for (const method of methods) add(`${name}.${method.name}`, 'method')
    for (const attribute of Object.keys(state))
      add(`${name}.${attribute}`, attribute === key.name ? 'key' : 'attribute')
  }
  return kinds
}

function contradictions(override: Override): readonly Found[] {
  const rules = [override, override.create ?? {}, override.read ?? {}]
  return rules.flatMap((rule) => contradictionIn(rule) ?? []).map((message) => ({ message }))
}

const OF_ENTITIES: readonly string[] = ['create', 'read']

function misplaced(name: string, override: Override): readonly Found[] {
  const isMember = name.includes('.')
  return isMember && (override.create ?? override.read) !== undefined
    ? [{ message: '"create" and "read" are said of an entity, not of one of its members.' }]
    : []
}

function withoutEffect(override: Override, kinds: readonly Kind[]): readonly Found[] {
  const [kind, ...others] = kinds
  if (kind === undefined) return []
  const allowed = [kind, ...others].flatMap((one) => EFFECTIVE[one])
  return Object.keys(override)
    .filter((member) => !OF_ENTITIES.includes(member) && !allowed.some((one) => one === member))
    .map((member) => ({
      message: `"${member}" has no effect on ${kind === 'method' || kind === 'key' ? 'a' : 'an'} ${kind}.`,
      hint: `Here may stand: ${allowed.join(', ')}.`,
    }))
}
