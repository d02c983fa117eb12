import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { startProcess } from '../helpers/gateway-process.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { callerOf } from '../helpers/shop-transcript.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'

const reason = kafkaUnavailable() ?? redisUnavailable()
const prefix = `takeover-${randomUUID().slice(0, 8)}-`
const topics = { requests: `${prefix}global_Account`, replies: `${prefix}replies` }
const NARROW = { 0: 'Those of partitions 0 2 are read.', 1: 'Those of partitions 1 3 are read.' }

describe.skipIf(reason !== undefined)(
  `a replica that dies, with replies that only it read${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let redis: RedisServer
    let runtime: AddingRuntime
    let folder: TemporaryFolder
    let env: Readonly<Record<string, string>>

    beforeAll(async () => {
      const { brokers, createTopics } = await sharedKafka()
      await createTopics({ name: topics.requests, partitions: 1 }, { name: topics.replies, partitions: 4 })
      redis = await startRedis({ appendOnly: false })
      runtime = await startAddingRuntime(brokers, topics)
      folder = createTemporaryFolder()
      env = {
        GATEWAY_METADATA: folder.write('takeover.metadata.json', addingMetadata),
        GATEWAY_RUNTIME: 'stateflow',
        KAFKA_BROKERS: brokers.join(','),
        KAFKA_CREATE_TOPIC_PARTITIONS: '1',
        KAFKA_REPLY_PARTITIONS: 'own',
        STATEFLOW_SERIALIZER: 'json',
        STATEFLOW_ROUTING: 'statefun',
        STATEFLOW_TOPIC_PREFIX: prefix,
        STATEFLOW_PING_TOPIC: topics.requests,
        STATEFLOW_REPLY_TOPIC: topics.replies,
        REDIS_URL: redis.url,
        REDIS_PREFIX: prefix,
      }
    }, 240_000)
    afterAll(async () => {
      await runtime?.close()
      await redis?.close()
      folder?.close()
    })

    function add(url: string, headers: Readonly<Record<string, string>> = {}) {
      return callerOf(url)('POST', '/account/shared/add', { amount: 1 }, headers)
    }

    async function narrowed(url: string, detail: string): Promise<void> {
      for (let calls = 0; calls < 30; calls++) expect((await add(url)).status).toBe(200)
      const isRead = async () => {
        const { body } = await callerOf(url)('GET', '/-/readyz?verbose')
        return JSON.stringify(body).includes(detail)
      }
      await until(detail, isRead, 30_000)
    }

    it('leaves no answer behind: the living read what came since it was last seen', async () => {
      const living = await startGateway({ ...env, GATEWAY_REPLICA: '0/2' })
      const doomed = startProcess({ args: ['serve'], env: { ...env, GATEWAY_REPLICA: '1/2', PORT: '0' } })
      try {
        const url = await doomed.url()
        await narrowed(url, NARROW[1])
        await narrowed(living.url, NARROW[0])
        runtime.hold()
        const accepted = await add(url, { prefer: 'respond-async' })
        expect(accepted.status).toBe(202)
        doomed.child.kill('SIGKILL')
        await doomed.exit()
        // At once, while nobody knows yet that nobody reads it.
        await runtime.release()
        const result = `${accepted.headers.get('location')}/result`
        await until('there is a result', async () => (await callerOf(living.url)('GET', result)).status === 200, 30_000)
        expect(living.runtimes.adapters.get('stateflow')?.counters()).toMatchObject({ misplaced: 0, pending: 0 })
      } finally {
        await doomed.close()
        await living.close()
      }
    }, 90_000)
  },
)
