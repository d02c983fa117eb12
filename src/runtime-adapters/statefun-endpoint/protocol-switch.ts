import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { PreparedEntities } from '../contract.ts'
import type { KafkaDialect } from '../kafka/dialect.ts'
import { createDialectSwitch } from '../kafka/dialect-switch.ts'
import type { Endpoint, Ingress, IngressRoute } from '../statefun/ingress.ts'

/** How functions are spoken to, and where they are. */
export interface Protocol {
  readonly dialect: KafkaDialect
  readonly ingress: Ingress
  readonly endpoints: readonly Endpoint[]
}

/** One that may change while messages are under way. */
export interface ProtocolSwitch extends Omit<Protocol, 'endpoints'> {
  /** @throws Error in the operator's words: state and messages are in this process, so no other engine can take their place */
  prepare(next: Protocol, entities: readonly EntityDescriptor[]): PreparedEntities
}

export function createProtocolSwitch(
  { dialect: first, ingress }: Protocol,
  entities: readonly EntityDescriptor[],
): ProtocolSwitch {
  const { dialect, prepare } = createDialectSwitch(first, entities, { hasTopics: false })
  // Old routes stay: calls of old entities are still under way.
  const routes = new Map<string, IngressRoute>(ingress)
  return {
    dialect,
    ingress: routes,
    prepare(next, newEntities) {
      for (const [topic, route] of next.ingress) {
        const known = routes.get(topic)
        if (known === undefined || isSame(known, route)) continue
        throw new Error(
          `The topic "${topic}" led to ${known.functionType} as ${known.valueType}, and now leads to ${route.functionType} as ${route.valueType}: that needs a restart.`,
        )
      }
      const prepared = prepare(next.dialect, newEntities)
      if (prepared === undefined) {
        throw new Error('The new metadata looks for calls elsewhere in replies (correlation): that needs a restart.')
      }
      return {
        capabilities: prepared.capabilities,
        commit() {
          for (const [topic, route] of next.ingress) routes.set(topic, route)
          prepared.commit()
        },
      }
    },
  }
}

function isSame(one: IngressRoute, other: IngressRoute): boolean {
  return one.functionType === other.functionType && one.valueType === other.valueType
}
