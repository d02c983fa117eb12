import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { readConfig } from '../../src/gateway/config.ts'
import type { Invocation, RuntimeAdapter } from '../../src/runtime-adapters/contract.ts'
import { createTransport } from '../../src/runtime-adapters/kafka/create-transport.ts'
import { createKafkaAdapter } from '../../src/runtime-adapters/kafka/kafka-adapter.ts'
import type { KafkaTransport } from '../../src/runtime-adapters/kafka/transport.ts'
import { createStateflowDialect } from '../../src/runtime-adapters/stateflow/dialect.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import type { RuntimeProcess } from '../helpers/runtime-process.ts'
import { startStateflow, stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { unique } from '../helpers/unique.ts'

const reason = kafkaUnavailable() ?? stateflowUnavailable()
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** The real transport, but no acknowledgement is told before the reply has been delivered. */
function acknowledgingLast(transport: KafkaTransport): {
  readonly transport: KafkaTransport
  readonly repliesFirst: () => number
} {
  const replied: (() => void)[] = []
  let repliesFirst = 0
  return {
    repliesFirst: () => repliesFirst,
    transport: {
      ...transport,
      start: (subscription) =>
        transport.start({
          ...subscription,
          onRecord(record) {
            subscription.onRecord(record)
            repliesFirst++
            replied.shift()?.()
          },
        }),
      async send(record) {
        const { promise, resolve } = Promise.withResolvers<void>()
        replied.push(resolve)
        const result = await transport.send(record)
        await promise
        return result
      },
    },
  }
}

describe.skipIf(reason !== undefined)(
  `replies that come before the acknowledgement${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let kafka: Kafka
    let runtime: RuntimeProcess
    let adapter: RuntimeAdapter
    let delayed: ReturnType<typeof acknowledgingLast>
    const entities = compileEntities(loadMetadata(['test/golden/stateflow/demo.metadata.json']))

    beforeAll(async () => {
      kafka = await startKafka()
      runtime = await startStateflow({ brokers: kafka.brokers.join(','), serializer: 'pickle', routing: 'dataflow' })
      const { config } = readConfig({ env: { KAFKA_BROKERS: kafka.brokers.join(',') }, argv: [] })
      delayed = acknowledgingLast(await createTransport(config.kafka, silent))
      const dialect = createStateflowDialect({ ...config.stateflow, entities })
      const limits = { maxCalls: 2_000, maxBytes: 10_000_000 }
      adapter = createKafkaAdapter({ dialect, transport: delayed.transport, limits, log: silent })
      await adapter.start()
    }, 180_000)
    afterAll(async () => {
      await adapter?.close()
      await runtime?.close()
      await kafka?.close()
    })

    it('are all delivered: 1,000 of 1,000', async () => {
      const entity = entities.find(({ name }) => name === 'User')
      if (entity === undefined) throw new Error('the demo has no User')
      const create = (username: string): Invocation => ({
        id: randomUUID(),
        target: { kind: 'create', entity },
        args: { username },
        deadline: Date.now() + 20_000,
        context: {},
      })
      const names = Array.from({ length: 1_000 }, () => unique('early'))
      const answeredBefore = adapter.counters().answered ?? 0
      const outcomes = await Promise.all(names.map((name) => adapter.invoke(create(name))))
      expect(outcomes).toEqual(names.map((key) => ({ kind: 'created', key })))
      expect(delayed.repliesFirst()).toBeGreaterThanOrEqual(1_000)
      expect(adapter.counters()).toMatchObject({ answered: answeredBefore + 1_000, late: 0, foreign: 0, pending: 0 })
    }, 60_000)
  },
)
