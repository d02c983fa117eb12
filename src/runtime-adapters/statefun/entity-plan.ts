import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { Target } from '../contract.ts'
import { type MemberPlan, planMember } from './member-plan.ts'
import { StatefunMetadataError } from './metadata-error.ts'
import type { StatefunOptions } from './options.ts'
import { type EntityRuntime, readEntityRuntime } from './runtime-members.ts'

/** Everything that an entity can be asked. */
export interface EntityPlan {
  readonly runtime: EntityRuntime
  readonly create: MemberPlan | undefined
  readonly find: MemberPlan | undefined
  readonly state: MemberPlan | undefined
  readonly call: ReadonlyMap<string, MemberPlan>
}

/** By the entity’s name. */
export type Plans = ReadonlyMap<string, EntityPlan>

/** @throws StatefunMetadataError with every problem of every entity */
export function planEntities(entities: readonly EntityDescriptor[], options: StatefunOptions): Plans {
  // An entity’s own members are read again for each of its methods; what is wrong with them is wrong once.
  const problems = new Set<string>()
  const plans = new Map(
    entities.map((entity) => [entity.name, planEntity(entity, options, (problem) => problems.add(problem))]),
  )
  for (const problem of ambiguities(plans)) problems.add(problem)
  if (problems.size > 0) throw new StatefunMetadataError([...problems])
  return plans
}

/** Every plan of an entity, by what it is called in words. */
export function membersOf(
  name: string,
  { create, find, state, call }: EntityPlan,
): readonly (readonly [string, MemberPlan])[] {
  const some = (what: string, plan: MemberPlan | undefined): readonly (readonly [string, MemberPlan])[] =>
    plan === undefined ? [] : [[`${name}’s ${what}`, plan]]
  return [
    ...some('constructor', create),
    ...some('find', find),
    ...some('state', state),
    ...[...call].map(([method, plan]) => [`${name}.${method}`, plan] as const),
  ]
}

/** The plan of what is asked; `undefined` when this entity can’t be asked it. */
export function planFor({ create, find, state, call }: EntityPlan, target: Target): MemberPlan | undefined {
  switch (target.kind) {
    case 'create':
      return create
    case 'find':
      return find ?? state
    case 'read-state':
    case 'read-attribute':
      return state
    case 'call':
      return call.get(target.method.name)
    case 'write-attribute':
      return undefined
  }
}

function planEntity(entity: EntityDescriptor, options: StatefunOptions, report: (problem: string) => void): EntityPlan {
  const shared = readEntityRuntime(entity.runtime, (problem) => report(`${entity.name}: ${problem}`))
  const common = { entity, shared, options, params: [], isKeyless: false }
  const about = (what: string) => (problem: string) => report(`${what} ${problem}`)
  const { create } = entity
  return {
    runtime: shared,
    create:
      create &&
      planMember({
        ...common,
        own: create.runtime,
        name: 'create',
        params: create.params,
        isKeyless: create.keyParam === undefined,
        report: about(`${entity.name}’s constructor`),
      }),
    find:
      shared.find && planMember({ ...common, own: shared.find, name: 'find', report: about(`${entity.name}’s find`) }),
    state:
      shared.state &&
      planMember({ ...common, own: shared.state, name: 'get', report: about(`${entity.name}’s state`) }),
    call: new Map(
      [...entity.methods.values()].flatMap(({ name, params, runtime: own }) => {
        const plan = planMember({ ...common, own, name, params, report: about(`${entity.name}.${name}`) })
        return plan === undefined ? [] : [[name, plan]]
      }),
    ),
  }
}

/** Two things that a function could not tell apart, and topics that lead to two functions. */
function ambiguities(plans: Plans): readonly string[] {
  const messages = new Map<string, string>()
  const topics = new Map<string, { readonly what: string; readonly route: string }>()
  return [...plans].flatMap(([name, plan]) =>
    membersOf(name, plan).flatMap(([what, { settings }]) => {
      const { functionType, valueType, topic, correlation, encoding, envelope } = settings
      const problems: string[] = []
      const route = `${functionType} as ${valueType}`
      if (encoding !== 'json' || envelope.request.method === undefined) {
        const other = messages.get(route)
        if (other === undefined) messages.set(route, what)
        else problems.push(`${what} and ${other} are the same message to ${route}; nothing in it names the method.`)
      }
      const before = topics.get(topic)
      if (correlation === 'dispatch') return problems
      if (before === undefined) topics.set(topic, { what, route })
      else if (before.route !== route) {
        problems.push(`${what} sends to the topic "${topic}" for ${route}, ${before.what} for ${before.route}.`)
      }
      return problems
    }),
  )
}
