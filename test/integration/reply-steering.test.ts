import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import type { RuntimeProcess } from '../helpers/runtime-process.ts'
import { callerOf } from '../helpers/shop-transcript.ts'
import { startStateflow, stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { unique } from '../helpers/unique.ts'
import { until } from '../helpers/until.ts'

const reason = kafkaUnavailable() ?? stateflowUnavailable() ?? redisUnavailable()

/** StateFlow's operators over StateFun's topics, whose replies are keyed by the call's id; their producer is librdkafka. */
describe.skipIf(reason !== undefined)(
  `replicas that read their own replies${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let kafka: Kafka
    let redis: RedisServer
    let runtime: RuntimeProcess
    const open: RunningGateway[] = []
    beforeAll(async () => {
      kafka = await startKafka()
      redis = await startRedis({ appendOnly: false })
      runtime = await startStateflow({ brokers: kafka.brokers.join(','), serializer: 'pickle', routing: 'statefun' })
    }, 180_000)
    afterAll(async () => {
      await Promise.all(open.map((gateway) => gateway.close()))
      await runtime?.close()
      await redis?.close()
      await kafka?.close()
    })

    async function start(replica: string, more: Readonly<Record<string, string>> = {}): Promise<RunningGateway> {
      const gateway = await startGateway({
        GATEWAY_RUNTIME: 'stateflow',
        GATEWAY_METADATA: 'test/golden/stateflow/demo.metadata.json',
        GATEWAY_REPLICA: replica,
        KAFKA_BROKERS: kafka.brokers.join(','),
        KAFKA_REPLY_PARTITIONS: 'own',
        KAFKA_REPLY_PARTITIONER: 'crc32',
        STATEFLOW_ROUTING: 'statefun',
        ...more,
      })
      open.push(gateway)
      return gateway
    }

    const countersOf = ({ runtimes }: RunningGateway) => runtimes.adapters.get('stateflow')?.counters() ?? {}

    async function replyCheckOf({ url }: RunningGateway): Promise<{ ok: boolean; detail: string }> {
      const { body } = await callerOf(url)('GET', '/-/readyz?verbose')
      // The readiness document, as docs describe it.
      const { checks } = body as { checks: { name: string; ok: boolean; detail: string }[] }
      const { ok = false, detail = 'there is no such check' } =
        checks.find(({ name }) => name === 'stateflow: replies') ?? {}
      return { ok, detail }
    }

    async function creates(gateway: RunningGateway, name: string, count: number): Promise<readonly number[]> {
      const prefix = unique(name)
      const call = callerOf(gateway.url)
      const users = Array.from({ length: count }, (_, at) => `${prefix}-${at}`)
      return Promise.all(users.map(async (username) => (await call('POST', '/user', { username })).status))
    }

    async function narrowed(gateway: RunningGateway, partitions: string): Promise<void> {
      const wanted = `Those of partitions ${partitions} are read.`
      await until(wanted, async () => (await replyCheckOf(gateway)).detail === wanted, 30_000)
    }

    it.each(['platformatic', 'kafkajs'])(
      'answer every call of their own over %s, and see none of the others’ any more',
      async (client) => {
        const two = await Promise.all(['0/2', '1/2'].map((replica) => start(replica, { KAFKA_CLIENT: client })))
        for (const [at, gateway] of two.entries()) {
          expect(new Set(await creates(gateway, `${client}-proof-${at}`, 30))).toEqual(new Set([201]))
        }
        const [even, odd] = two
        if (even === undefined || odd === undefined) throw new Error('two were started')
        await narrowed(even, '0 2 4 6 8')
        await narrowed(odd, '1 3 5 7 9')
        const before = [even, odd].map((gateway) => countersOf(gateway).foreign)
        for (const [at, gateway] of two.entries()) {
          expect(await creates(gateway, `${client}-own-${at}`, 200)).toEqual(Array(200).fill(201))
        }
        expect([even, odd].map((gateway) => countersOf(gateway).foreign)).toEqual(before)
        expect(countersOf(even)).toMatchObject({ misplaced: 0, pending: 0 })
      },
      60_000,
    )

    it('answers all the same where the partitioner is not the runtime’s, and says so', async () => {
      const gateway = await start('0/2', { KAFKA_REPLY_PARTITIONER: 'murmur2' })
      expect(await creates(gateway, 'wrong', 60)).toEqual(Array(60).fill(201))
      expect(countersOf(gateway).misplaced).toBeGreaterThan(20)
      expect(await replyCheckOf(gateway)).toMatchObject({ ok: false, detail: expect.stringContaining('All are read') })
    }, 30_000)

    it('take over from one that is no more, where they share a store', async () => {
      const env = { REDIS_URL: redis.url, REDIS_PREFIX: unique('steering') }
      const [living, dying] = await Promise.all([start('0/2', env), start('1/2', env)])
      await Promise.all([living, dying].map((gateway, at) => creates(gateway, `redis-proof-${at}`, 30)))
      await narrowed(living, '0 2 4 6 8')
      await dying.close()
      // No reply of a share that nobody holds may be read by nobody.
      await narrowed(living, '0 1 2 3 4 5 6 7 8 9')
      const successor = await start('1/2', env)
      await narrowed(living, '0 2 4 6 8')
      expect(await creates(successor, 'redis-successor', 20)).toEqual(Array(20).fill(201))
    }, 60_000)

    it.each([
      [{ GATEWAY_REPLICA: '2/2' }, /GATEWAY_REPLICA=2\/2: replicas are counted from 0/],
      [{ GATEWAY_REPLICA: '0/11' }, /client_reply has 10 partitions, so 11 replicas can’t have one each/],
      [{ STATEFLOW_ROUTING: 'dataflow' }, /does not key its replies by the call’s id/],
    ])('refuses to start with %j', async (env, message) => {
      await expect(start('0/2', env)).rejects.toThrow(message)
    })
  },
)
