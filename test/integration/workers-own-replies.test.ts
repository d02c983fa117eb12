import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { type GatewayProcess, startProcess } from '../helpers/gateway-process.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'
import { type Answer, ask, linesOf, pidOf, urlOf } from '../helpers/worker-process.ts'
import { lintPage } from '../unit/observability/lint-page.ts'

const reason = kafkaUnavailable()
const prefix = `own-workers-${randomUUID().slice(0, 8)}-`
const topics = { requests: `${prefix}global_Account`, replies: `${prefix}replies` }

describe.skipIf(reason !== undefined)(
  `workers that read their own replies${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let runtime: AddingRuntime
    let folder: TemporaryFolder
    let gateway: GatewayProcess
    let url: string

    beforeAll(async () => {
      const { brokers, createTopics } = await sharedKafka()
      await createTopics({ name: topics.requests, partitions: 1 }, { name: topics.replies, partitions: 4 })
      runtime = await startAddingRuntime(brokers, topics)
      folder = createTemporaryFolder()
      const env = {
        PORT: '0',
        GATEWAY_WORKERS: '2',
        GATEWAY_REPLICA: '1/2',
        GATEWAY_METADATA: folder.write('own-workers.metadata.json', addingMetadata),
        GATEWAY_RUNTIME: 'stateflow',
        KAFKA_BROKERS: brokers.join(','),
        KAFKA_CREATE_TOPIC_PARTITIONS: '1',
        KAFKA_REPLY_PARTITIONS: 'own',
        STATEFLOW_SERIALIZER: 'json',
        STATEFLOW_ROUTING: 'statefun',
        STATEFLOW_TOPIC_PREFIX: prefix,
        STATEFLOW_PING_TOPIC: topics.requests,
        STATEFLOW_REPLY_TOPIC: topics.replies,
      }
      gateway = startProcess({ args: ['serve'], env })
      url = await urlOf(gateway)
    }, 240_000)
    afterAll(async () => {
      await gateway?.close()
      await runtime?.close()
      folder?.close()
    })

    function add(headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
      return ask(`${url}/account/shared/add`, { ...init, body: '{"amount":1}' })
    }

    /** What a worker reads now. */
    function readBy(worker: number): string | undefined {
      return linesOf(gateway).findLast((line) => line.worker === worker && line.partitions !== undefined)?.partitions
    }

    async function narrowed(): Promise<void> {
      const isNarrow = async () => {
        await Promise.all(Array.from({ length: 20 }, () => add()))
        return readBy(1) === '2' && readBy(2) === '3'
      }
      await until('each reads its own', isNarrow, 30_000)
    }

    async function foreign(): Promise<number> {
      const { series } = lintPage((await ask(`${url}/-/metrics`)).text)
      return series.find((one) => one.name === 'gateway_replies_total' && one.labels.result === 'foreign')?.value ?? 0
    }

    it('each takes its part of the container’s share, and sees none of the other’s replies', async () => {
      await narrowed()
      const before = await foreign()
      const answers = await Promise.all(Array.from({ length: 200 }, () => add()))
      expect(answers.filter(({ status }) => status !== 200)).toEqual([])
      expect(await foreign()).toBe(before)
    }, 60_000)

    it('the other reads the replies of one that is killed, until it is back', async () => {
      await narrowed()
      runtime.hold()
      const accepted = await Promise.all(Array.from({ length: 6 }, () => add({ prefer: 'respond-async' })))
      const locations = accepted.map(({ headers }) => headers.get('location') ?? '')
      expect(new Set(locations.map((one) => one.slice(-6))).size).toBe(2)
      process.kill(pidOf(gateway, 2), 'SIGKILL')
      await runtime.release()
      for (const location of locations) {
        // The one connection that was on its way to the worker when it was killed is never answered (docs/workers.md).
        const answer = () => ask(`${url}${location}/result`).catch(() => undefined)
        await until('there is a result', async () => (await answer())?.status === 200, 60_000)
      }
      await narrowed()
    }, 90_000)
  },
)
