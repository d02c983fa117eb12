import { describe } from 'vitest'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { createStateflow } from '../../src/runtime-adapters/stateflow/create.ts'
import { silentLog } from '../conformance/embedded-runtime.ts'
import { describeRuntimeAdapter } from '../conformance/runtime-adapter.ts'
import { startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { startStateflow, stateflowUnavailable } from '../helpers/stateflow-runtime.ts'

const reason = kafkaUnavailable() ?? stateflowUnavailable()

describe.skipIf(reason !== undefined)(`conformance${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  describeRuntimeAdapter('StateFlow over Kafka', async () => {
    const kafka = await startKafka()
    const brokers = kafka.brokers.join(',')
    const runtime = await startStateflow({ brokers, serializer: 'pickle', routing: 'dataflow' })
    const { config } = readConfig({ env: { KAFKA_BROKERS: brokers }, argv: [] })
    const entities = compileEntities(loadMetadata(['test/golden/stateflow/demo.metadata.json']))
    const limits = { maxCalls: 1_000, maxBytes: 10_000_000 }
    const adapter = await createStateflow({ ...config, limits }, { instance: 'stateflow', entities, log: silentLog })
    return {
      adapter,
      entities,
      dispose: async () => {
        await runtime.close()
        await kafka.close()
      },
    }
  })
})
