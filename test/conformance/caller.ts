import { randomUUID } from 'node:crypto'
import type { EntityDescriptor } from '../../src/entity-registry/descriptor.ts'
import type { Invocation, Key, Outcome, RuntimeAdapter, Target } from '../../src/runtime-adapters/contract.ts'

export type Args = Readonly<Record<string, unknown>>

/** Makes invocations as the HTTP edge does, and sends them to one adapter. */
export interface Caller {
  entity(name: string): EntityDescriptor
  /** Whether the runtime's entities have this method at all. */
  has(entity: string, method: string): boolean
  invocation(target: Target, args?: Args): Invocation
  create(entity: string, args: Args): Promise<Outcome>
  find(entity: string, key: Key): Promise<Outcome>
  call(entity: string, key: Key, method: string, args?: Args): Promise<Outcome>
  readState(entity: string, key: Key): Promise<Outcome>
  readAttribute(entity: string, key: Key, attribute: string): Promise<Outcome>
  writeAttribute(entity: string, key: Key, attribute: string, value: unknown): Promise<Outcome>
}

export interface CallerOptions {
  readonly adapter: RuntimeAdapter
  readonly entities: readonly EntityDescriptor[]
  /** Milliseconds each call may take. */
  readonly deadlineMs?: number
}

export function createCaller({ adapter, entities, deadlineMs = 10_000 }: CallerOptions): Caller {
  const entity = (name: string) => known(entities, name)
  const invocation = (target: Target, args: Args = {}): Invocation => ({
    id: randomUUID(),
    target,
    args,
    deadline: Date.now() + deadlineMs,
    context: {},
  })
  const send = (target: Target, args?: Args) => adapter.invoke(invocation(target, args))
  const attributeOf = (name: string, attribute: string) => {
    const descriptor = entity(name).attributes.get(attribute)
    if (descriptor === undefined) throw new Error(`${name} has no attribute ${attribute}`)
    return descriptor
  }
  return {
    entity,
    has: (name, method) => entity(name).methods.has(method),
    invocation,
    create: (name, args) => send({ kind: 'create', entity: entity(name) }, args),
    find: (name, key) => send({ kind: 'find', entity: entity(name), key }),
    call: (name, key, method, args) => send(methodTarget(entity(name), key, method), args),
    readState: (name, key) => send({ kind: 'read-state', entity: entity(name), key }),
    readAttribute: (name, key, attribute) =>
      send({ kind: 'read-attribute', entity: entity(name), key, attribute: attributeOf(name, attribute) }),
    writeAttribute: (name, key, attribute, value) =>
      send({ kind: 'write-attribute', entity: entity(name), key, attribute: attributeOf(name, attribute), value }),
  }
}

export function methodTarget(entity: EntityDescriptor, key: Key, method: string): Target {
  const descriptor = entity.methods.get(method)
  if (descriptor === undefined) throw new Error(`${entity.name} has no method ${method}`)
  return { kind: 'call', entity, key, method: descriptor }
}

function known(entities: readonly EntityDescriptor[], name: string): EntityDescriptor {
  const found = entities.find((entity) => entity.name === name)
  if (found === undefined) throw new Error(`there is no entity ${name}`)
  return found
}
