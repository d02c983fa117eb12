import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { FlowTemplate } from './flow.ts'
import { type FunctionType, functionTypeOf } from './function-type.ts'
import type { StateflowOptions } from './options.ts'
import type { Call, Hole } from './request-shape.ts'

/** Where one kind of request goes, and under which record key. */
export interface Route {
  readonly topic: string
  readonly recordKey: (call: Call) => string
}

/** The ways into a StateFlow runtime. */
export interface Routing {
  create(entity: EntityDescriptor): Route
  /** A request to an entity by its key; of a split method, the flow that it runs. */
  keyed(entity: EntityDescriptor, flow: FlowTemplate | undefined): Route
  readonly ping: Route
}

const eventId = ({ id }: Call) => id

/**
 * One topic for all requests. The runtimes ignore the record’s key, so it can be the entity’s name and key: calls on one
 * entity then share a partition and keep their order, and so does the create before them.
 */
export function dataflowRouting({ requestTopic: topic }: StateflowOptions): Routing {
  const prefixOf = (entity: EntityDescriptor) => `${nameOf(functionTypeOf(entity), '/')}/`
  return {
    create(entity) {
      const keyParam = entity.create?.keyParam
      if (keyParam === undefined) return { topic, recordKey: eventId }
      const prefix = prefixOf(entity)
      return { topic, recordKey: ({ args }) => prefix + keyText(args[keyParam]) }
    },
    keyed(entity) {
      const prefix = prefixOf(entity)
      return { topic, recordKey: ({ key }) => prefix + keyText(key) }
    },
    ping: { topic, recordKey: eventId },
  }
}

/**
 * A topic for each entity, as upstream’s client has them. StateFun takes the record’s key for the address, so a split
 * method goes where its flow starts: to the first entity that it refers to, if it refers to one.
 */
export function statefunRouting({ topicPrefix, pingTopic }: StateflowOptions): Routing {
  const topicOf = (type: FunctionType) => `${topicPrefix}${nameOf(type, '_')}`
  return {
    create: (entity) => ({ topic: `${topicOf(functionTypeOf(entity))}_create`, recordKey: eventId }),
    keyed(entity, flow) {
      if (flow === undefined) return { topic: topicOf(functionTypeOf(entity)), recordKey: ({ key }) => keyText(key) }
      return { topic: topicOf(flow.start.type), recordKey: (call) => keyText(keyIn(flow.start.key, call)) }
    },
    ping: { topic: pingTopic, recordKey: eventId },
  }
}

function nameOf({ namespace, name }: FunctionType, separator: string): string {
  return `${namespace}${separator}${name}`
}

function keyIn(hole: Hole, { key, args }: Call): unknown {
  return hole.kind === 'argument-key' ? args[hole.name] : key
}

/** A key that StateFlow takes for none (`""`, 0) would make a create of any request, so it must never be sent. */
export function keyText(key: unknown): string {
  if ((typeof key === 'string' && key !== '') || typeof key === 'bigint' || (typeof key === 'number' && key !== 0)) {
    return String(key)
  }
  throw new RangeError(`StateFlow has no entity with the key "${String(key)}".`)
}
