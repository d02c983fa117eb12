import { isDeepStrictEqual } from 'node:util'
import type { EntityDescriptor } from '../descriptor.ts'
import { changed, type EntityChange, type Finding, sentType } from './entity-change.ts'
import { accessChanges, attributeChanges, methodChanges, parameterChanges } from './method-changes.ts'

/** Everything that callers could notice, in the order of the entities. */
export function diffEntities(
  before: readonly EntityDescriptor[],
  now: readonly EntityDescriptor[],
): readonly EntityChange[] {
  const old = new Map(before.map((entity) => [entity.name, entity]))
  const left = new Map(now.map((entity) => [entity.name, entity]))
  return [
    ...before.flatMap((entity) => {
      const next = left.get(entity.name)
      return next === undefined ? [of(entity, undefined, GONE)] : entityChanges(entity, next)
    }),
    ...now.filter(({ name }) => !old.has(name)).map((entity) => of(entity, undefined, ADDED)),
  ]
}

const GONE: Finding = { kind: 'gone', breaks: true, text: 'is gone' }
const ADDED: Finding = { kind: 'added', breaks: false, text: 'is new' }

function of({ name }: EntityDescriptor, member: string | undefined, finding: Finding): EntityChange {
  return { entity: name, member, ...finding }
}

function entityChanges(before: EntityDescriptor, now: EntityDescriptor): readonly EntityChange[] {
  const about = (member: string | undefined, findings: readonly Finding[]) =>
    findings.map((finding) => of(now, member, finding))
  return [
    ...about(undefined, ownChanges(before, now)),
    ...about('key', keyChanges(before, now)),
    ...about('create', createChanges(before, now)),
    ...memberChanges(before.methods, now.methods, now, methodChanges),
    ...memberChanges(before.attributes, now.attributes, now, attributeChanges),
  ]
}

function ownChanges(before: EntityDescriptor, now: EntityDescriptor): readonly Finding[] {
  return [
    ...(before.path === now.path ? [] : [changed(`is at /${now.path}, no longer at /${before.path}`, true)]),
    ...(before.runtimeName === now.runtimeName
      ? []
      : [changed(`is served by the runtime ${now.runtimeName}, no longer by ${before.runtimeName}`, true)]),
    ...accessChanges('who may read it', before.access.read, now.access.read),
  ]
}

function keyChanges({ key: before }: EntityDescriptor, { key: now }: EntityDescriptor): readonly Finding[] {
  if (before.type !== now.type) return [changed(`is ${now.type === 'integer' ? 'an integer' : 'a string'} now`, true)]
  return [
    ...(before.name === now.name ? [] : [changed(`is called "${now.name}", no longer "${before.name}"`, true)]),
    ...sentType('its type', before.schema, now.schema),
  ]
}

function createChanges(before: EntityDescriptor, now: EntityDescriptor): readonly Finding[] {
  if (before.create === undefined || now.create === undefined) {
    if (before.create === now.create) return []
    return [now.create === undefined ? GONE : ADDED]
  }
  const { keyParam } = now.create
  return [
    ...(before.create.keyParam === keyParam
      ? []
      : [changed(keyParam === undefined ? 'makes up the key now' : `takes the key from "${keyParam}" now`, true)]),
    ...parameterChanges(before.create.params, now.create.params),
    ...accessChanges('who may do it', before.access.create, now.access.create),
  ]
}

function memberChanges<T extends object>(
  before: ReadonlyMap<string, T>,
  now: ReadonlyMap<string, T>,
  entity: EntityDescriptor,
  compare: (before: T, now: T) => readonly Finding[],
): readonly EntityChange[] {
  const lost = [...before].flatMap(([name, member]): readonly EntityChange[] => {
    const next = now.get(name)
    if (next !== undefined) {
      return isDeepStrictEqual(member, next) ? [] : compare(member, next).map((finding) => of(entity, name, finding))
    }
    const hidden = entity.hidden.find((one) => one.name === name)
    const finding: Finding = hidden === undefined ? GONE : { kind: 'hidden', breaks: true, text: `is ${hidden.reason}` }
    return [of(entity, name, finding)]
  })
  const found = [...now.keys()].filter((name) => !before.has(name))
  return [...lost, ...found.map((name) => of(entity, name, ADDED))]
}
