import type {
  AttributeDescriptor,
  EntityDescriptor,
  HttpVerb,
  MethodDescriptor,
  Retirement,
} from '../entity-registry/descriptor.ts'
import type { Capabilities } from '../runtime-adapters/contract.ts'

/** How HTTP reaches one thing an entity can do. A method may have several. */
export interface Binding {
  readonly verb: HttpVerb
  /** Fastify's form: `/user/:key/buy_item`. */
  readonly url: string
  readonly operation: Operation
}

export type Operation =
  | { readonly kind: 'create'; readonly entity: EntityDescriptor }
  | { readonly kind: 'find' | 'read-state'; readonly entity: EntityDescriptor }
  | {
      readonly kind: 'read-attribute' | 'write-attribute'
      readonly entity: EntityDescriptor
      readonly attribute: AttributeDescriptor
    }
  | {
      readonly kind: 'call'
      readonly entity: EntityDescriptor
      readonly method: MethodDescriptor
      /** Where the arguments are. */
      readonly args: 'body' | 'query'
    }

/** `undefined`: it is here to stay. */
export function retirementOf(operation: Operation): Retirement | undefined {
  if ('method' in operation) return operation.method.retirement ?? operation.entity.retirement
  if ('attribute' in operation) return operation.attribute.retirement ?? operation.entity.retirement
  return operation.entity.retirement
}

/** Whether 202 may answer it: a read has it only where its operator takes late answers. */
export function mayBeAccepted({ verb, operation }: Binding): boolean {
  return verb !== 'GET' || (operation.kind === 'call' && operation.method.acceptLate)
}

/** Every route of an entity that its runtime can serve. */
export function bindingsOf(entity: EntityDescriptor, can: Capabilities): readonly Binding[] {
  const root = `/${entity.path}`
  const one = `${root}/:key`
  return [
    ...(can.create && entity.create !== undefined
      ? [{ verb: 'POST', url: root, operation: { kind: 'create', entity } } as const]
      : []),
    ...(can.find || can.readState
      ? [{ verb: 'GET', url: one, operation: { kind: can.readState ? 'read-state' : 'find', entity } } as const]
      : []),
    ...[...entity.attributes.values()].flatMap((attribute) => attributeBindings(entity, attribute, can)),
    ...[...entity.methods.values()].flatMap((method) => methodBindings(entity, method, can)),
  ]
}

function attributeBindings(
  entity: EntityDescriptor,
  attribute: AttributeDescriptor,
  can: Capabilities,
): readonly Binding[] {
  const url = `/${entity.path}/:key/${attribute.name}`
  return [
    ...(can.readAttribute && attribute.readable
      ? [{ verb: 'GET', url, operation: { kind: 'read-attribute', entity, attribute } } as const]
      : []),
    ...(can.writeAttribute && attribute.writable
      ? [{ verb: 'PUT', url, operation: { kind: 'write-attribute', entity, attribute } } as const]
      : []),
  ]
}

function methodBindings(entity: EntityDescriptor, method: MethodDescriptor, can: Capabilities): readonly Binding[] {
  const url = method.binding?.path?.replace('{key}', ':key') ?? `/${entity.path}/:key/${method.name}`
  const verb = method.binding?.verb ?? 'POST'
  const operation = {
    kind: 'call',
    entity,
    method,
    args: verb === 'GET' || verb === 'DELETE' ? 'query' : 'body',
  } as const
  const safely = { verb: 'GET', url, operation: { ...operation, args: 'query' } } as const
  const safe = method.safe || (method.readOnly && can.enforcesReadOnly)
  return safe && verb !== 'GET' ? [{ verb, url, operation }, safely] : [{ verb, url, operation }]
}

/** Two operations on one route, in words; empty when there are none. */
export function clashes(bindings: readonly Binding[]): readonly string[] {
  const taken = new Map<string, string>()
  return bindings.flatMap(({ verb, url, operation }) => {
    const route = `${verb} ${url}`
    const name = operationName(operation)
    const other = taken.get(route)
    taken.set(route, name)
    return other === undefined
      ? []
      : [`${route} would be both ${other} and ${name}. Give one of them another path in the overrides file.`]
  })
}

function operationName(operation: Operation): string {
  const { name } = operation.entity
  switch (operation.kind) {
    case 'call':
      return `the method ${name}.${operation.method.name}`
    case 'read-attribute':
    case 'write-attribute':
      return `the attribute ${name}.${operation.attribute.name}`
    case 'create':
    case 'find':
    case 'read-state':
      return `${operation.kind} of ${name}`
  }
}
