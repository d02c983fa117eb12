import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import { createKafkaRuntime, type KafkaRuntimeOptions } from '../kafka/create-kafka-runtime.ts'
import { createStateflowDialect } from './dialect.ts'
import type { StateflowOptions } from './options.ts'

interface Options extends KafkaRuntimeOptions {
  readonly stateflow: StateflowOptions
}

/** StateFlow's operators, on whatever reads their Kafka topics. */
export function createStateflow(options: Options, context: AdapterContext): Promise<RuntimeAdapter> {
  return createKafkaRuntime(options, context, (entities) => createStateflowDialect({ ...options.stateflow, entities }))
}
