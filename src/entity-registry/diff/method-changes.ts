import type { AccessRule } from '../access-rule.ts'
import type { AttributeDescriptor, MethodDescriptor, ParameterDescriptor } from '../descriptor.ts'
import { changed, type Finding, readType, sentType } from './entity-change.ts'

export function methodChanges(before: MethodDescriptor, now: MethodDescriptor): readonly Finding[] {
  return [
    ...routeChanges(before, now),
    ...parameterChanges(before.params, now.params),
    ...readType('what it returns', before.returns, now.returns),
    ...errorChanges(before, now),
    ...accessChanges('who may call it', before.access, now.access),
    ...(before.acceptLate === now.acceptLate
      ? []
      : [changed(`a late call is answered by ${now.acceptLate ? '202' : '504'} now`, true)]),
  ]
}

export function attributeChanges(before: AttributeDescriptor, now: AttributeDescriptor): readonly Finding[] {
  return [
    ...readType('its type', before.schema, now.schema),
    ...(before.readable && !now.readable ? [changed('can’t be read any more', true)] : []),
    ...(before.writable && !now.writable ? [changed('can’t be written any more', true)] : []),
    ...(before.writable && now.writable
      ? sentType('its type', before.schema, now.schema).filter(({ breaks }) => breaks)
      : []),
    ...accessChanges('who may read it', before.access.read, now.access.read),
    ...(before.writable ? accessChanges('who may write it', before.access.write, now.access.write) : []),
  ]
}

export function parameterChanges(
  before: readonly ParameterDescriptor[],
  now: readonly ParameterDescriptor[],
): readonly Finding[] {
  const known = new Map(before.map((param) => [param.name, param]))
  const added = now.filter(({ name }) => !known.has(name))
  const left = new Map(now.map((param) => [param.name, param]))
  return [
    ...added.map(({ name, required }) =>
      changed(`takes a new argument "${name}", ${required ? 'and needs it' : 'which may be left out'}`, required),
    ),
    ...before.flatMap((param) => {
      const next = left.get(param.name)
      // Unknown arguments are errors.
      if (next === undefined) return [changed(`takes no argument "${param.name}" any more`, true)]
      return [...necessity(param, next), ...sentType(`its argument "${param.name}"`, param.schema, next.schema)]
    }),
  ]
}

function necessity(before: ParameterDescriptor, now: ParameterDescriptor): readonly Finding[] {
  if (before.required === now.required) return []
  const text = `its argument "${now.name}" ${now.required ? 'can’t be left out any more' : 'may be left out'}`
  return [changed(text, now.required)]
}

function routeChanges(before: MethodDescriptor, now: MethodDescriptor): readonly Finding[] {
  const verb = ({ binding }: MethodDescriptor) => binding?.verb ?? 'POST'
  const path = ({ name, binding }: MethodDescriptor) => binding?.path ?? `…/{key}/${name}`
  return [
    ...(verb(before) === verb(now) ? [] : [changed(`is called by ${verb(now)}, no longer by ${verb(before)}`, true)]),
    ...(path(before) === path(now) ? [] : [changed(`is at ${path(now)}, no longer at ${path(before)}`, true)]),
    ...((before.safe || before.readOnly) && !(now.safe || now.readOnly)
      ? [changed('may not be served by GET any more', true)]
      : []),
  ]
}

function errorChanges(before: MethodDescriptor, now: MethodDescriptor): readonly Finding[] {
  const gone = [...before.errors].flatMap(([name, { status }]) => {
    const next = now.errors.get(name)
    if (next?.status === status) return []
    return [
      changed(
        `its error ${name} ${next === undefined ? 'is not declared any more' : `is ${next.status}, no longer ${status}`}`,
        true,
      ),
    ]
  })
  const added = [...now.errors.keys()].filter((name) => !before.errors.has(name))
  return [...gone, ...added.map((name) => changed(`has a new error ${name}`, false))]
}

/** Rules are the operator’s own will; whoever was let in and is not any more will notice all the same. */
export function accessChanges(what: string, before: AccessRule, now: AccessRule): readonly Finding[] {
  const lost = demandsOf(now).filter((demand) => !demandsOf(before).includes(demand))
  const dropped = demandsOf(before).filter((demand) => !demandsOf(now).includes(demand))
  const closes = before.kind === 'public' && now.kind !== 'public'
  if (closes || lost.length > 0)
    return [changed(`${what} is restricted further: ${lost.join(', ') || 'no longer everybody'}`, true)]
  // The gateway’s default may be stricter than a rule, or not; that is a setting, and no part of metadata.
  if (before.kind === 'restricted' && now.kind === 'default')
    return [changed(`${what} is up to GATEWAY_ACCESS now`, true)]
  if (dropped.length > 0 || before.kind !== now.kind) return [changed(`${what} is restricted less`, false)]
  return []
}

function demandsOf(rule: AccessRule): readonly string[] {
  if (rule.kind !== 'restricted') return []
  return [
    ...rule.scopes.map((scope) => `scope ${scope}`),
    ...rule.owners.map((claim) => `key = ${claim === true ? 'the caller’s name' : claim}`),
  ]
}
