import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endOffsets } from '../helpers/end-offsets.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { malformedRequests } from '../helpers/malformed-requests.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import type { RuntimeProcess } from '../helpers/runtime-process.ts'
import { sendRaw } from '../helpers/send-raw.ts'
import { callerOf, describeShopTranscript, digitsBack } from '../helpers/shop-transcript.ts'
import { startStateflow, stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { unique } from '../helpers/unique.ts'

const modes = [
  { name: 'unmodified StateFlow, pickle, dataflow', serializer: 'pickle', routing: 'dataflow', client: 'platformatic' },
  {
    name: 'unmodified StateFlow, pickle, StateFun topics',
    serializer: 'pickle',
    routing: 'statefun',
    client: 'platformatic',
  },
  { name: 'patched StateFlow, json, dataflow', serializer: 'json', routing: 'dataflow', client: 'kafkajs' },
] as const

const reason = kafkaUnavailable() ?? stateflowUnavailable() ?? stateflowUnavailable('json')

describe.skipIf(reason !== undefined)(`over Kafka${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  // StateFlow's topics have fixed names, so its runtimes take turns on a broker of this file's own.
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka()
  }, 120_000)
  afterAll(() => kafka?.close())

  describe.each(modes)('$name', ({ name, serializer, routing, client }) => {
    let runtime: RuntimeProcess
    let gateway: RunningGateway
    beforeAll(async () => {
      runtime = await startStateflow({ brokers: kafka.brokers.join(','), serializer, routing })
      gateway = await startGateway({
        GATEWAY_RUNTIME: 'stateflow',
        GATEWAY_METADATA: 'test/golden/stateflow/demo.metadata.json',
        KAFKA_BROKERS: kafka.brokers.join(','),
        KAFKA_CLIENT: client,
        STATEFLOW_SERIALIZER: serializer,
        STATEFLOW_ROUTING: routing,
      })
    }, 180_000)
    afterAll(async () => {
      await gateway?.close()
      await runtime?.close()
    })

    describeShopTranscript(name, () => gateway.url)

    it('keeps 64-bit integers to the last digit', async () => {
      const item = `digits-${serializer}-${routing}`
      await callerOf(gateway.url)('POST', '/item', { item_name: item, price: 1 })
      const call = {
        write: `/item/${item}/set_stock`,
        body: '{"amount":9007199254740993}',
        read: `/item/${item}/stock`,
      }
      expect(await digitsBack(gateway.url, call)).toBe('9007199254740993')
    })

    it('is ready, by the runtime’s own word', async () => {
      const { body } = await callerOf(gateway.url)('GET', '/-/readyz?verbose')
      expect(body).toMatchObject({
        status: 'ready',
        checks: expect.arrayContaining([{ name: 'stateflow: stateflow runtime', ok: true, detail: 'It answers.' }]),
      })
    })

    it('answers 10,000 calls at 256 in flight, each with its own answer', async () => {
      const call = callerOf(gateway.url)
      const users = Array.from({ length: 256 }, (_, index) => ({
        name: unique(`load-${serializer}-${routing}-${index}`),
        balance: 1 + index * 7,
      }))
      await Promise.all(
        users.map(async ({ name: username, balance }) => {
          await call('POST', '/user', { username })
          await call('POST', `/user/${username}/update_balance`, { x: balance - 1 })
        }),
      )
      let left = 10_000
      let right = 0
      const caller = async ({ name: username, balance }: (typeof users)[number]): Promise<void> => {
        while (left-- > 0) {
          const { status, body } = await call('POST', `/user/${username}/get_balance`)
          if (status === 200 && body === balance) right++
        }
      }
      await Promise.all(users.map(caller))
      expect(right).toBe(10_000)
    }, 120_000)

    it('puts no record on the request topics for malformed requests', async () => {
      const topics =
        routing === 'dataflow'
          ? ['client_request']
          : ['global_User', 'global_User_create', 'global_Item', 'global_Item_create']
      const before = await endOffsets(kafka.brokers, topics)
      for (const malformed of malformedRequests) {
        const { status } = await sendRaw(gateway.url, malformed)
        expect.soft(status, malformed.kind).toBeGreaterThanOrEqual(400)
      }
      expect(await endOffsets(kafka.brokers, topics)).toEqual(before)
      expect(runtime.alive()).toBe(true)
    })
  })
})
