import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPlatformaticTransport } from '../../src/runtime-adapters/kafka/platformatic-transport.ts'
import type { KafkaRecord, KafkaTransport, ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'
import { createStateflowDialect } from '../../src/runtime-adapters/stateflow/dialect.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import type { RuntimeProcess } from '../helpers/runtime-process.ts'
import { startStateflow, stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { unique } from '../helpers/unique.ts'
import { demoEntities, entityNamed, recordOf } from '../unit/stateflow/entities.ts'

const reason = kafkaUnavailable() ?? stateflowUnavailable()
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

async function eventually<T>(look: () => T | undefined, explain: () => string): Promise<T> {
  const deadline = Date.now() + 15_000
  while (Date.now() < deadline) {
    const found = look()
    if (found !== undefined) return found
    await delay(10)
  }
  throw new Error(`did not happen in 15 s; the runtime wrote:\n${explain()}`)
}

/** What other tests trust of the runner: it behaves as StateFlow on Flink does, in its faults too. */
describe.skipIf(reason !== undefined)(`runner${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka()
  }, 120_000)
  afterAll(() => kafka?.close())

  describe.each(['dataflow', 'statefun'] as const)('%s routing', (routing) => {
    const dialect = createStateflowDialect({ serializer: 'pickle', routing, entities: demoEntities })
    const replies: ReceivedRecord[] = []
    let runtime: RuntimeProcess
    let transport: KafkaTransport

    const start = () => startStateflow({ brokers: kafka.brokers.join(','), serializer: 'pickle', routing })
    const reply = (id: string) =>
      eventually(
        () => replies.find((record) => record.value.includes(id)),
        () => runtime.output(),
      )
    const ask = async (record: KafkaRecord, id: string) => {
      expect(await transport.send(record)).toEqual({ kind: 'acknowledged' })
      return reply(id)
    }
    const ping = (id: string): KafkaRecord => {
      const record = dialect.ping?.(id)
      if (record === undefined) throw new Error('StateFlow has a ping.')
      return record
    }

    beforeAll(async () => {
      runtime = await start()
      const brokers = { brokers: kafka.brokers, clientId: 'test', acks: 'all', compression: 'none' } as const
      const limits = {
        sendTimeoutMs: 10_000,
        fetchWaitMs: 10,
        isolation: 'committed',
        maxRecordBytes: 1_000_000,
      } as const
      transport = createPlatformaticTransport({ ...brokers, ...limits }, silent)
      await transport.start({
        requestTopics: dialect.topics.requests,
        replyTopics: dialect.topics.replies,
        onRecord: (record) => replies.push(record),
      })
    }, 180_000)
    afterAll(async () => {
      await transport?.close()
      await runtime?.close()
    })

    it('takes the first record that is sent after it has started', async () => {
      const id = randomUUID()
      expect(dialect.isPong(await ask(ping(id), id))).toBe(true)
    })

    it(routing === 'dataflow' ? 'answers without a record key' : 'answers under the event’s id', async () => {
      const id = randomUUID()
      const { key } = await ask(ping(id), id)
      expect(key.toString()).toBe(routing === 'dataflow' ? '' : id)
    })

    it('creates an entity and refuses to create it again', async () => {
      const entity = entityNamed('User')
      const username = unique('runner')
      const create = (id: string) =>
        ({
          id,
          target: { kind: 'create', entity },
          args: { username },
          deadline: 0,
          context: {},
        }) as const
      const outcomes = []
      for (const id of [randomUUID(), randomUUID()]) {
        const invocation = create(id)
        outcomes.push(dialect.decode(await ask(recordOf(dialect, invocation), id), invocation).kind)
      }
      expect(outcomes).toEqual(['created', 'rejected'])
    })

    it('ends with a record that it can’t take, and starts again from the end of its topics', async () => {
      const topic = ping(randomUUID()).topic
      await transport.send({ topic, key: Buffer.from('k'), value: Buffer.from('no pickle') })
      await eventually(
        () => (runtime.alive() ? undefined : true),
        () => runtime.output(),
      )
      expect(runtime.output()).toContain('UnpicklingError')
      await runtime.close()
      runtime = await start()
      const id = randomUUID()
      const pong = await ask(ping(id), id)
      expect(pong.value.length).toBeGreaterThan(0)
      expect(runtime.alive()).toBe(true)
    })

    it('is gone after close, which may be called twice', async () => {
      await runtime.close()
      await runtime.close()
      expect(runtime.alive()).toBe(false)
    })
  })
})
