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
  return {
    dialect: {
      ...first,
      encode: (invocation) => dialectOf(invocation).encode(invocation),
      decode: (record, invocation) => dialectOf(invocation).decode(record, invocation),
      // The first's own places are all that later ones may have: replies to calls of every one of them are found.
      get ping() {
        return current.ping
      },
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

/** What is settled when an adapter starts: how calls are found in replies, and where replies come to. */
function speaksAlike(first: KafkaDialect, next: KafkaDialect): boolean {
  const { correlationPlaces: known = [] } = first
  const isFound = (next.correlationPlaces ?? []).every((place) => known.includes(place))
  return isFound && (first.repliesKeyedById !== true || next.repliesKeyedById === true)
}

function hasTopicsOf({ topics: { requests, replies } }: KafkaDialect, { topics }: KafkaDialect): boolean {
  return topics.requests.every((topic) => requests.includes(topic)) && sameNames(topics.replies, replies)
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name) => other.includes(name))
}
