import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import { createSteering } from '../kafka/create-steering.ts'
import { createTransport } from '../kafka/create-transport.ts'
import { createDialectSwitch } from '../kafka/dialect-switch.ts'
import { createKafkaAdapter } from '../kafka/kafka-adapter.ts'
import type { KafkaOptions } from '../kafka/options.ts'
import type { PendingLimits } from '../kafka/pending-calls.ts'
import { createStateflowDialect } from './dialect.ts'
import type { StateflowOptions } from './options.ts'

interface Options {
  readonly kafka: KafkaOptions
  readonly stateflow: StateflowOptions
  readonly limits: PendingLimits
}

/** StateFlow's operators, on whatever reads their Kafka topics. */
export async function createStateflow(
  { kafka, stateflow, limits }: Options,
  context: AdapterContext,
): Promise<RuntimeAdapter> {
  const { entities, log, strays, watch } = context
  const dialectOf = (own: readonly EntityDescriptor[]) => createStateflowDialect({ ...stateflow, entities: own })
  const { dialect, prepare } = createDialectSwitch(dialectOf(entities), entities)
  const transport = await createTransport(kafka, log)
  const steering = createSteering({ options: kafka, dialect, transport, context })
  return createKafkaAdapter({
    ...{ dialect, transport, limits, log, strays, steering, watch },
    prepare: (next) => prepare(dialectOf(next), next),
  })
}
