import { randomInt, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { startProcess } from '../helpers/gateway-process.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { readLog } from '../helpers/kafka-log.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'

const reason = kafkaUnavailable() ?? redisUnavailable()
const name = randomUUID().slice(0, 8)
const topics = { requests: `replicas-${name}-requests`, replies: `replicas-${name}-replies` }

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // A JSON object, read by each test as what it expects.
  readonly body: Record<string, unknown>
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) })
  const text = await response.text()
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, text, body }
}

function add(base: string, amount: number, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
  return ask(`${base}/account/shared/add`, { ...init, body: JSON.stringify({ amount }) })
}

describe.skipIf(reason !== undefined)(
  `replicas over one Redis${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let brokers: readonly string[]
    let redis: RedisServer
    let runtime: AddingRuntime
    let folder: TemporaryFolder
    let env: Readonly<Record<string, string>>
    let gateways: readonly RunningGateway[] = []
    let urls: readonly [string, string, string]

    beforeAll(async () => {
      const kafka = await sharedKafka()
      brokers = kafka.brokers
      await kafka.createTopics({ name: topics.requests, partitions: 3 }, { name: topics.replies, partitions: 3 })
      redis = await startRedis({ appendOnly: true })
      runtime = await startAddingRuntime(brokers, topics)
      folder = createTemporaryFolder()
      env = {
        GATEWAY_METADATA: folder.write('replicas.metadata.json', addingMetadata),
        GATEWAY_RUNTIME: 'stateflow',
        KAFKA_BROKERS: brokers.join(','),
        STATEFLOW_SERIALIZER: 'json',
        STATEFLOW_REQUEST_TOPIC: topics.requests,
        STATEFLOW_REPLY_TOPIC: topics.replies,
        REDIS_URL: redis.url,
        REDIS_PREFIX: `replicas-${name}`,
      }
      gateways = await Promise.all([startGateway(env), startGateway(env), startGateway(env)])
      const [a, b, c] = gateways.map(({ url }) => url)
      urls = [a ?? '', b ?? '', c ?? '']
    }, 240_000)
    beforeEach(() => runtime.release())
    afterAll(async () => {
      redis?.continue()
      await Promise.all(gateways.map((gateway) => gateway.close()))
      await runtime?.close()
      await redis?.close()
      folder?.close()
    })

    /** The result, asked for at one replica until it is there. */
    async function resultAt(base: string, location: string): Promise<Answer> {
      let answer = await ask(`${base}${location}/result`)
      await until('there is a result', async () => {
        answer = await ask(`${base}${location}/result`)
        return answer.status === 200
      })
      return answer
    }

    it('what one accepted is read, awaited and streamed at another', async () => {
      const [a, b, c] = urls
      runtime.hold()
      const accepted = await add(a, 1, { prefer: 'respond-async' })
      const location = accepted.headers.get('location') ?? ''
      expect(accepted.status).toBe(202)
      expect((await ask(`${b}${location}`)).body).toMatchObject({ state: 'running', operation: 'add' })
      const awaited = ask(`${b}${location}`, { headers: { prefer: 'wait=10' } })
      const streamed = ask(`${c}${location}/events`)
      await runtime.release()
      expect((await awaited).body).toMatchObject({ state: 'succeeded', status: 200 })
      expect((await streamed).text).toContain('"state":"succeeded"')
      const results = await Promise.all(urls.map((url) => ask(`${url}${location}/result`)))
      expect(new Set(results.map(({ text }) => text)).size).toBe(1)
    })

    it('a late answer is collected at another than the one that gave up', async () => {
      const [a, b] = urls
      runtime.hold()
      const late = await add(a, 1, { prefer: 'wait=1' })
      expect(late).toMatchObject({ status: 504, body: { outcome: 'unknown' } })
      await runtime.release()
      const { status } = await resultAt(b, late.headers.get('location') ?? '')
      expect(status).toBe(200)
    })

    it('the call of one that was killed after the acknowledgement is finished by those who live', async () => {
      const [, b] = urls
      const doomed = startProcess({ args: ['serve'], env: { ...env, PORT: '0' } })
      try {
        const url = await doomed.url()
        runtime.hold()
        const accepted = await add(url, 1, { prefer: 'respond-async' })
        expect(accepted.status).toBe(202)
        doomed.child.kill('SIGKILL')
        await doomed.exit()
        await runtime.release()
        const { status } = await resultAt(b, accepted.headers.get('location') ?? '')
        expect(status).toBe(200)
      } finally {
        await doomed.close()
      }
    }, 60_000)

    it('1,000 calls with one key over three replicas are one record, one execution and 1,000 equal answers', async () => {
      const recordsBefore = (await readLog(brokers, topics.requests)).length
      const key = randomUUID()
      const amount = randomInt(1_000_000, 1_000_000_000)
      const answers = await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          add(urls[index % 3] ?? urls[0], amount, { 'idempotency-key': key }),
        ),
      )
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
      expect(answers[0]?.status).toBe(200)
      expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(999)
      expect(runtime.added.filter((each) => each === amount)).toHaveLength(1)
      expect((await readLog(brokers, topics.requests)).length).toBe(recordsBefore + 1)
    }, 60_000)

    it('without Redis plain calls go on, others are surely not sent, and it is said; then all is as before', async () => {
      const [a, b] = urls
      const addedBefore = runtime.added.length
      redis.stop()
      try {
        const [plain, keyed, asynchronous] = await Promise.all([
          add(a, 1),
          add(a, 1, { 'idempotency-key': randomUUID() }),
          add(b, 1, { prefer: 'respond-async' }),
        ])
        expect(plain.status).toBe(200)
        for (const refused of [keyed, asynchronous]) {
          expect(refused).toMatchObject({ status: 503, body: { code: 'store_unavailable', outcome: 'not_sent' } })
        }
        expect(runtime.added).toHaveLength(addedBefore + 1)
        const ready = await ask(`${a}/-/readyz?verbose`)
        expect(ready).toMatchObject({ status: 200, body: { status: 'degraded' } })
        expect(ready.text).toContain('"name":"redis store","ok":false')
        expect((await ask(`${a}/-/invocations/${randomUUID()}`)).body).toMatchObject({ code: 'store_unavailable' })
      } finally {
        redis.continue()
      }
      await until('it is ready again', async () => (await ask(`${a}/-/readyz`)).body.status === 'ready')
      await until('so is the other', async () => (await ask(`${b}/-/readyz`)).body.status === 'ready')
      expect((await add(b, 1, { 'idempotency-key': randomUUID() })).status).toBe(200)
    })

    it('an answer that comes while Redis is away is collected when it is back', async () => {
      const [a, b] = urls
      runtime.hold()
      const accepted = await add(a, 1, { prefer: 'respond-async' })
      await redis.kill()
      await runtime.release()
      await redis.restart()
      const { status } = await resultAt(b, accepted.headers.get('location') ?? '')
      expect(status).toBe(200)
    })
  },
)
