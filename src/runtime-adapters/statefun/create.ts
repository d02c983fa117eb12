import type { AdapterContext, RuntimeAdapter } from '../contract.ts'
import { createKafkaRuntime, type KafkaRuntimeOptions } from '../kafka/create-kafka-runtime.ts'
import { createStatefunDialect } from './dialect.ts'
import type { StatefunOptions } from './options.ts'

interface Options extends KafkaRuntimeOptions {
  readonly statefun: StatefunOptions
}

/** Functions on a StateFun cluster, through its Kafka ingress and egress. */
export function createStatefun(options: Options, context: AdapterContext): Promise<RuntimeAdapter> {
  const readsUncommitted = options.kafka.isolation === 'uncommitted'
  return createKafkaRuntime(options, context, (entities) =>
    createStatefunDialect({ ...options.statefun, entities, readsUncommitted }),
  )
}
