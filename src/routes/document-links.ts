import { type Binding, mayBeAccepted } from './binding.ts'

/** A link of the OpenAPI document: what can be asked next, and with what of this answer. */
interface Link {
  readonly operationId: string
  readonly description: string
  readonly parameters: Readonly<Record<string, string>>
}

/** By status, then by the link's name. */
export type LinksByStatus = Readonly<Record<string, Readonly<Record<string, Link>>>>

const id = { id: '$response.body#/id' }

/** From whatever answers with the status of an invocation to the invocation. */
export const invocationLinks = {
  invocation: { operationId: 'get_invocation', description: 'How far it is.', parameters: id },
  result: { operationId: 'get_invocation_result', description: 'Its answer.', parameters: id },
  events: { operationId: 'get_invocation_events', description: 'Its events.', parameters: id },
} satisfies Readonly<Record<string, Link>>

/** What an answer of this route leads to: a call under way to its invocation, a new entity to all that it can do. */
export function linksOf(binding: Binding, ids: ReadonlyMap<Binding, string>): LinksByStatus {
  const { operation } = binding
  const accepted: LinksByStatus = mayBeAccepted(binding) ? { 202: invocationLinks } : {}
  if (operation.kind !== 'create') return accepted
  const { entity } = operation
  const ofEntity = [...ids].filter(([other]) => other.operation.entity === entity && other.operation.kind !== 'create')
  if (ofEntity.length === 0) return accepted
  return { ...accepted, 201: Object.fromEntries(ofEntity.map(([, id]) => entityLink(id, entity.name))) }
}

function entityLink(operationId: string, entity: string): readonly [string, Link] {
  const description = `With the key of the new ${entity}.`
  return [operationId, { operationId, description, parameters: { key: '$response.body#/key' } }]
}
