import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import type { PendingLimits } from '../kafka/pending-calls.ts'
import { createStateflowDialect } from '../stateflow/dialect.ts'
import type { StateflowOptions } from '../stateflow/options.ts'
import { createStatefunDialect, ingressOf } from '../statefun/dialect.ts'
import { endpointsOf } from '../statefun/endpoints.ts'
import { type Endpoint, showEndpoint } from '../statefun/ingress.ts'
import type { StatefunOptions } from '../statefun/options.ts'
import { createEndpointAdapter } from './adapter.ts'
import { EndpointError, parseEndpoint } from './endpoint-directory.ts'
import { createMemoryEngineStore } from './engine-store.ts'
import type { StatefunEndpointOptions } from './options.ts'
import { createProtocolSwitch, type Protocol } from './protocol-switch.ts'
import { SqliteEngineStore } from './sqlite-engine-store.ts'
import { stateflowIngress } from './stateflow-ingress.ts'

interface Options {
  readonly stateflow: StateflowOptions
  readonly statefun: StatefunOptions
  readonly statefunEndpoint: StatefunEndpointOptions
  readonly limits: PendingLimits
}

/** Functions of StateFun, or StateFlow's own, with neither Flink nor Kafka. @throws EndpointError */
export async function createStatefunEndpoint(options: Options, context: AdapterContext): Promise<RuntimeAdapter> {
  const { limits: pending, statefunEndpoint: own } = options
  const { log, strays } = context
  const protocolOf = (entities: readonly EntityDescriptor[]) =>
    own.dialect === 'stateflow' ? stateflowProtocol(options, entities) : functionsProtocol(options, entities)
  const protocol = protocolOf(context.entities)
  const { dialect, ingress, prepare } = createProtocolSwitch(protocol, context.entities)
  const { maxBatch, callTimeoutMs, dataFolder } = own
  const endpoints = placesOf(own, protocol, context.entities)
  const store = dataFolder === undefined ? createMemoryEngineStore() : new SqliteEngineStore({ folder: dataFolder })
  const shown = endpoints.map((one) => ({ ...one, urlPathTemplate: showEndpoint(one.urlPathTemplate) }))
  log.info({ instance: context.instance, endpoints: shown, dataFolder }, 'functions are called without a cluster')
  return createEndpointAdapter({
    ...{ dialect, ingress, endpoints, store, maxBatch, callTimeoutMs, engine: own, pending, log, strays },
    prepare(entities, directory) {
      const next = protocolOf(entities)
      const readied = prepare(next, entities)
      const redirect = directory.prepare(placesOf(own, next, entities))
      return {
        capabilities: readied.capabilities,
        commit() {
          readied.commit()
          redirect()
        },
      }
    },
  })
}

/** The operator's word counts before the metadata's. @throws EndpointError where there are entities and no endpoints */
function placesOf(
  { endpoints }: StatefunEndpointOptions,
  protocol: Protocol,
  entities: readonly EntityDescriptor[],
): readonly Endpoint[] {
  const places = endpoints.length > 0 ? endpoints.map(parseEndpoint) : protocol.endpoints
  if (places.length > 0 || entities.length === 0) return places
  throw new EndpointError(
    'Nothing says where the functions are. Set STATEFUN_ENDPOINTS, e.g. to http://HOST:PORT/statefun.',
  )
}

function functionsProtocol({ statefun }: Options, entities: readonly EntityDescriptor[]): Protocol {
  return {
    dialect: createStatefunDialect({ ...statefun, entities }),
    ingress: ingressOf(entities, statefun),
    endpoints: endpointsOf(entities),
  }
}

function stateflowProtocol({ stateflow }: Options, entities: readonly EntityDescriptor[]): Protocol {
  return {
    dialect: createStateflowDialect({ ...stateflow, routing: 'statefun', entities }),
    ingress: stateflowIngress(entities, stateflow),
    endpoints: [],
  }
}
