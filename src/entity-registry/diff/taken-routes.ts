import type { AttributeDescriptor, EntityDescriptor, MethodDescriptor } from '../descriptor.ts'

type Member = MethodDescriptor | AttributeDescriptor

/** `GET /user/{key}/balance`: every route that some runtime would serve of it. */
export function routesOf(entity: EntityDescriptor): readonly string[] {
  const members = [...entity.methods.values(), ...entity.attributes.values()]
  return [...ownRoutes(entity), ...members.flatMap((member) => memberRoutes(entity, member))]
}

function ownRoutes({ path, create }: EntityDescriptor): readonly string[] {
  return [...(create === undefined ? [] : [`POST /${path}`]), `GET /${path}/{key}`]
}

export function memberRoutes({ path }: EntityDescriptor, member: Member): readonly string[] {
  const usual = `/${path}/{key}/${member.name}`
  if (!('params' in member)) return member.writable ? [`GET ${usual}`, `PUT ${usual}`] : [`GET ${usual}`]
  const { binding, safe, readOnly } = member
  const at = binding?.path ?? usual
  const verb = binding?.verb ?? 'POST'
  return safe || readOnly ? [`${verb} ${at}`, `GET ${at}`] : [`${verb} ${at}`]
}
