import type { AdapterOptions } from '../catalog.ts'
import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import { createTransport } from '../kafka/create-transport.ts'
import { createKafkaAdapter } from '../kafka/kafka-adapter.ts'
import { createStateflowDialect } from './dialect.ts'

/** StateFlow's operators, on whatever reads their Kafka topics. */
export async function createStateflow(
  { kafka, stateflow, limits }: AdapterOptions,
  { entities, log }: AdapterContext,
): Promise<RuntimeAdapter> {
  const dialect = createStateflowDialect({ ...stateflow, entities })
  const transport = await createTransport(kafka, log)
  return createKafkaAdapter({ dialect, transport, limits, log })
}
