import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import { createSteering } from './create-steering.ts'
import { createTransport } from './create-transport.ts'
import type { KafkaDialect } from './dialect.ts'
import { createDialectSwitch } from './dialect-switch.ts'
import { createKafkaAdapter } from './kafka-adapter.ts'
import type { KafkaOptions } from './options.ts'
import type { PendingLimits } from './pending-calls.ts'

export interface KafkaRuntimeOptions {
  readonly kafka: KafkaOptions
  readonly limits: PendingLimits
}

/**
 * A runtime behind Kafka: the configured client, and a dialect.
 * @param dialectOf makes it for these entities, and again when others come
 */
export async function createKafkaRuntime(
  { kafka, limits }: KafkaRuntimeOptions,
  context: AdapterContext,
  dialectOf: (entities: readonly EntityDescriptor[]) => KafkaDialect,
): Promise<RuntimeAdapter> {
  const { entities, log, strays, watch } = context
  const { dialect, prepare } = createDialectSwitch(dialectOf(entities), entities)
  const transport = await createTransport(kafka, log)
  const steering = createSteering({ options: kafka, dialect, transport, context })
  return createKafkaAdapter({
    ...{ dialect, transport, limits, log, strays, steering, watch },
    prepare: (next) => prepare(dialectOf(next), next),
  })
}
