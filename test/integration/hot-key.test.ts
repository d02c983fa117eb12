import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { openBatch } from '../helpers/batch-client.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'

const reason = kafkaUnavailable()
const name = randomUUID().slice(0, 8)
const topics = { requests: `hot-key-${name}-requests`, replies: `hot-key-${name}-replies` }

describe.skipIf(reason !== undefined)(
  `bounds of calls under way, over Kafka${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let runtime: AddingRuntime
    let folder: TemporaryFolder
    let env: Readonly<Record<string, string>>
    let gateway: RunningGateway | undefined

    beforeAll(async () => {
      const { brokers, createTopics } = await sharedKafka()
      await createTopics({ name: topics.requests }, { name: topics.replies })
      runtime = await startAddingRuntime(brokers, topics)
      folder = createTemporaryFolder()
      env = {
        ...{ GATEWAY_METADATA: folder.write('hot.metadata.json', addingMetadata), GATEWAY_RUNTIME: 'stateflow' },
        ...{ KAFKA_BROKERS: brokers.join(','), STATEFLOW_SERIALIZER: 'json' },
        ...{ STATEFLOW_REQUEST_TOPIC: topics.requests, STATEFLOW_REPLY_TOPIC: topics.replies },
      }
    }, 180_000)
    afterEach(async () => {
      await runtime?.release()
      await gateway?.close()
      gateway = undefined
    })
    afterAll(async () => {
      await runtime?.close()
      folder?.close()
    })

    async function add(key: string, headers: Readonly<Record<string, string>> = {}) {
      const response = await fetch(`${gateway?.url}/account/${key}/add`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: '{"amount":1}',
        signal: AbortSignal.timeout(15_000),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, text }
    }

    async function queued(count: number, { url } = gateway as RunningGateway) {
      return (await (await fetch(`${url}/-/metrics`)).text()).includes(`gateway_calls_queued ${count}\n`)
    }

    it('leave room for other keys while one is hot', async () => {
      gateway = await startGateway({ ...env, GATEWAY_MAX_IN_FLIGHT_PER_KEY: '2', GATEWAY_MAX_PENDING: '4' })
      const before = runtime.added.length
      runtime.hold()
      let refused = 0
      const hot = Array.from({ length: 20 }, async () => {
        const answer = await add('hot')
        if (answer.status === 503) refused++
        return answer
      })
      await until('two have come to the runtime', () => runtime.added.length === before + 2)
      await until('the others are refused', () => refused === 18)
      const cold = [add('cold'), add('cool')]
      await until('the others have, too', () => runtime.added.length === before + 4)
      await runtime.release()
      const statuses = (await Promise.all(hot)).map(({ status }) => status).sort()
      expect(statuses).toEqual([200, 200, ...Array(18).fill(503)])
      expect((await Promise.all(cold)).map(({ status }) => status)).toEqual([200, 200])
      const page = await (await fetch(`${gateway.url}/-/metrics`)).text()
      expect(page).toContain('gateway_shed_calls_total{cause="key"} 18\n')
    })

    it('refuse with a problem that says what there was too much of, surely unsent', async () => {
      gateway = await startGateway({ ...env, GATEWAY_MAX_IN_FLIGHT_PER_ENTITY: '1' })
      const before = runtime.added.length
      runtime.hold()
      const first = add('a')
      await until('it has come to the runtime', () => runtime.added.length === before + 1)
      const refused = await add('b')
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
      expect(JSON.parse(refused.text)).toMatchObject({
        ...{ code: 'overloaded', outcome: 'not_sent', retry: 'after' },
        detail: expect.stringContaining('Account'),
      })
      await runtime.release()
      expect((await first).status).toBe(200)
      expect((await add('b')).status).toBe(200)
      expect(runtime.added.length).toBe(before + 2)
    })

    it('make lines of a batch wait, and refuse none', async () => {
      gateway = await startGateway({ ...env, GATEWAY_MAX_IN_FLIGHT_PER_ENTITY: '3' })
      const before = runtime.added.length
      runtime.hold()
      const batch = await openBatch(gateway.url)
      const line = { entity: 'account', method: 'add', args: { amount: 1 } }
      batch.send(...Array.from({ length: 30 }, (_, n) => ({ ...line, id: n, key: `key-${n}` })))
      await until('three have come to the runtime', () => runtime.added.length === before + 3)
      await until('the others wait', () => queued(27))
      await runtime.release()
      const answers = await batch.finish()
      expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200))
      expect(runtime.added.length).toBe(before + 30)
    })

    it('let a stopping gateway end at once, its waiting lines refused as unsent', async () => {
      const stopping = await startGateway({ ...env, GATEWAY_MAX_IN_FLIGHT_PER_ENTITY: '1' })
      const before = runtime.added.length
      runtime.hold()
      const batch = await openBatch(stopping.url)
      const line = { entity: 'account', method: 'add', args: { amount: 1 } }
      batch.send(...['a', 'b', 'c'].map((key) => ({ ...line, id: key, key })))
      await until('one has come to the runtime', () => runtime.added.length === before + 1)
      await until('the others wait', () => queued(2, stopping))
      const closed = stopping.close()
      const refused = [await batch.next(), await batch.next()]
      expect(refused.map(({ status, problem }) => [status, problem?.code, problem?.outcome])).toEqual(
        Array(2).fill([503, 'shutting_down', 'not_sent']),
      )
      await runtime.release()
      expect((await batch.finish()).map(({ status }) => status)).toEqual([200])
      await closed
      expect(runtime.added.length).toBe(before + 1)
    })

    it('that adapt let the runtime have as many accepted calls as before', async () => {
      gateway = await startGateway({ ...env, GATEWAY_ADAPTIVE: 'true', GATEWAY_ADAPTIVE_MIN_IN_FLIGHT: '1' })
      const before = runtime.added.length
      runtime.hold()
      const accepted = await Promise.all(
        Array.from({ length: 300 }, (_, n) => add(`key-${n}`, { prefer: 'respond-async' })),
      )
      expect(accepted.map(({ status }) => status)).toEqual(Array(300).fill(202))
      await until('all have come to the runtime', () => runtime.added.length === before + 300)
      await runtime.release()
      expect((await add('a')).status).toBe(200)
    })
  },
)
