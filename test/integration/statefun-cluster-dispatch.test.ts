import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { Kafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { callerOf, expectProblem } from '../helpers/shop-transcript.ts'
import { type StatefunCluster, startStatefunCluster } from '../helpers/statefun-cluster.ts'
import { type Functions, pythonUnavailable, startDispatchedFunctions } from '../helpers/statefun-functions.ts'
import { statefunUnavailable } from '../helpers/statefun-jars.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { unique } from '../helpers/unique.ts'

/** Functions in Python that only answer their caller, behind `gateway/dispatch` on a real cluster. */

const reason = kafkaUnavailable() ?? statefunUnavailable() ?? pythonUnavailable()
const run = randomUUID().slice(0, 8)
const [dispatchTopic, replyTopic] = [`dispatch-${run}`, `dispatch-${run}-replies`]

const integer = { type: 'integer' }
const metadata = {
  formatVersion: 1,
  application: 'demo',
  runtime: { replyTopics: [replyTopic], correlation: 'dispatch' },
  entities: [
    {
      name: 'Counter',
      key: { name: 'id', schema: { type: 'string' } },
      methods: [
        {
          name: 'add',
          params: [{ name: 'by', schema: integer }],
          returns: integer,
          errors: { Backwards: { status: 409 } },
        },
      ],
      runtime: { function: 'demo/counter', valueType: 'demo/request' },
    },
  ],
}

function moduleFor(address: string, urlPathTemplate: string): string {
  const topics = [{ topic: dispatchTopic, valueType: 'gateway/request', targets: ['gateway/dispatch'] }]
  const startupPosition = { type: 'earliest' }
  return [
    { kind: 'io.statefun.endpoints.v2/http', spec: { functions: 'gateway/*', urlPathTemplate } },
    { kind: 'io.statefun.endpoints.v2/http', spec: { functions: 'demo/*', urlPathTemplate } },
    {
      kind: 'io.statefun.kafka.v1/ingress',
      spec: { id: 'demo/requests', address, consumerGroupId: dispatchTopic, startupPosition, topics },
    },
    { kind: 'io.statefun.kafka.v1/egress', spec: { id: 'shop/replies', address } },
  ]
    .map((part) => stringify(part))
    .join('---\n')
}

describe.skipIf(reason !== undefined)(
  `gateway/dispatch on a real StateFun cluster${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    const folder = createTemporaryFolder()
    let kafka: Kafka
    let functions: Functions
    let cluster: StatefunCluster
    let gateway: RunningGateway
    beforeAll(async () => {
      kafka = await sharedKafka()
      await kafka.createTopics({ name: dispatchTopic, partitions: 3 }, { name: replyTopic })
      functions = await startDispatchedFunctions(replyTopic)
      const address = kafka.brokers.join(',')
      cluster = await startStatefunCluster({ module: moduleFor(address, functions.url) })
      gateway = await startGateway({
        GATEWAY_RUNTIME: 'statefun',
        GATEWAY_METADATA: folder.write('metadata.json', metadata),
        GATEWAY_DEADLINE_MS: '60000',
        STATEFUN_DISPATCH_TOPIC: dispatchTopic,
        KAFKA_BROKERS: address,
      })
    }, 600_000)
    afterAll(async () => {
      await gateway?.close()
      await cluster?.close()
      await functions?.close()
      await kafka?.close()
      folder.close()
    }, 60_000)
    const call: ReturnType<typeof callerOf> = (...request) => callerOf(gateway.url)(...request)

    it('gives each of many calls its own answer, and loses none', async () => {
      const name = unique('c')
      const calls = Array.from({ length: 200 }, (_, index) =>
        call('POST', `/counter/${name}-${index % 10}/add`, { by: 1 }),
      )
      const counts = (await Promise.all(calls)).map(({ body }) => body)
      const once = Array.from({ length: 20 }, (_, index) => index + 1)
      for (let counter = 0; counter < 10; counter++) {
        const own = counts.filter((_, index) => index % 10 === counter).toSorted((a, b) => Number(a) - Number(b))
        expect(own).toEqual(once)
      }
    })

    it('keeps all digits of a 64-bit integer', async () => {
      const answer = await fetch(`${gateway.url}/counter/${unique('large')}/add`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"by":9007199254740993}',
      })
      expect(await answer.text()).toBe('9007199254740993')
    })

    it('tells an error by its name, and the job goes on', async () => {
      const counter = unique('c')
      await call('POST', `/counter/${counter}/add`, { by: 20 })
      const answer = await call('POST', `/counter/${counter}/add`, { by: -1 })
      expectProblem(answer, 409, 'method_raised', 'raised')
      expect(answer.body).toMatchObject({ detail: expect.stringContaining('This counter goes up.') })
      expect((await call('POST', `/counter/${counter}/add`, { by: 1 })).body).toBe(21)
      expect(await cluster.restarts()).toBe(0)
    })
  },
)
