import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { Invocation, PreparedEntities } from '../contract.ts'
import type { KafkaDialect } from './dialect.ts'

/**
 * A dialect is made for its entities. When others come, a call is written and read by the dialect of its own entity's
 * descriptor, as long as anybody holds one.
 */
export interface DialectSwitch {
  readonly dialect: KafkaDialect
  /** @returns `undefined`: the new one speaks with other topics, or finds calls elsewhere in replies */
  prepare(next: KafkaDialect, entities: readonly EntityDescriptor[]): PreparedEntities | undefined
}

export interface DialectSwitchOptions {
  /** false: topics are names of routes in this process. Default: true, and only those known at the start are read and written. */
  readonly hasTopics?: boolean
}

export function createDialectSwitch(
  first: KafkaDialect,
  entities: readonly EntityDescriptor[],
  { hasTopics = true }: DialectSwitchOptions = {},
): DialectSwitch {
  const dialects = new WeakMap<EntityDescriptor, KafkaDialect>(entities.map((entity) => [entity, first]))
  let current = first
  const dialectOf = ({ target }: Invocation): KafkaDialect => dialects.get(target.entity) ?? current
  const { ping } = first
  return {
    dialect: {
      ...first,
      encode: (invocation) => dialectOf(invocation).encode(invocation),
      decode: (record, invocation) => dialectOf(invocation).decode(record, invocation),
      correlationOf: (record) => current.correlationOf(record),
      ping: ping && ((id) => (current.ping ?? ping)(id)),
    },
    prepare(next, newEntities) {
      if (!speaksAlike(first, next) || (hasTopics && !hasTopicsOf(first, next))) return undefined
      for (const entity of newEntities) dialects.set(entity, next)
      return {
        capabilities: next.capabilities,
        commit() {
          current = next
        },
      }
    },
  }
}

/** What is settled when an adapter starts: where replies come to, how calls are found in them, whether a ping is answered. */
function speaksAlike(first: KafkaDialect, next: KafkaDialect): boolean {
  const places = ({ correlationPlaces = [] }: KafkaDialect) => [...correlationPlaces].sort().join('\n')
  return (
    first.repliesKeyedById === next.repliesKeyedById &&
    (first.ping === undefined) === (next.ping === undefined) &&
    places(first) === places(next)
  )
}

function hasTopicsOf({ topics: { requests, replies } }: KafkaDialect, { topics }: KafkaDialect): boolean {
  return topics.requests.every((topic) => requests.includes(topic)) && sameNames(topics.replies, replies)
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name))
}
