import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { loadMetadata } from '../../src/entity-registry/load-metadata.ts'
import { readConfig } from '../../src/gateway/config.ts'
import { createStatefun } from '../../src/runtime-adapters/statefun/create.ts'
import { silentLog } from '../conformance/embedded-runtime.ts'
import { describeRuntimeAdapter } from '../conformance/runtime-adapter.ts'
import { endOffsets } from '../helpers/end-offsets.ts'
import type { Kafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { malformedRequests } from '../helpers/malformed-requests.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sendRaw } from '../helpers/send-raw.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { callerOf, describeShopTranscript, expectProblem } from '../helpers/shop-transcript.ts'
import { statefunUnavailable } from '../helpers/statefun-jars.ts'
import { envelopeHeaders, statefunPoison, strangeKeys } from '../helpers/statefun-poison.ts'
import { type ShopCluster, startShopCluster } from '../helpers/statefun-shop.ts'
import { unique } from '../helpers/unique.ts'
import { until } from '../helpers/until.ts'

const reason = kafkaUnavailable() ?? statefunUnavailable()

describe.skipIf(reason !== undefined)(
  `on a real StateFun cluster${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let kafka: Kafka
    let shop: ShopCluster
    let gateway: RunningGateway
    beforeAll(async () => {
      kafka = await sharedKafka()
      shop = await startShopCluster(kafka)
      gateway = await startGateway({
        GATEWAY_RUNTIME: 'statefun',
        GATEWAY_METADATA: shop.metadata,
        KAFKA_BROKERS: kafka.brokers.join(','),
        GATEWAY_DEADLINE_MS: '60000',
      })
    }, 600_000)
    afterAll(async () => {
      await gateway?.close()
      await shop?.close()
      await kafka?.close()
    }, 60_000)

    const call: ReturnType<typeof callerOf> = (...request) => callerOf(gateway.url)(...request)
    const newUser = async (username: string) => {
      expect((await call('POST', '/user', { username })).status).toBe(201)
    }

    describeShopTranscript('StateFun', () => gateway.url)

    describeRuntimeAdapter('StateFun over Kafka', async () => {
      const { config } = readConfig({ env: { KAFKA_BROKERS: kafka.brokers.join(',') }, argv: [] })
      const entities = compileEntities(loadMetadata([shop.metadata]))
      const limits = { maxCalls: 1_000, maxBytes: 10_000_000 }
      const context = { instance: 'statefun', entities, log: silentLog }
      return { adapter: await createStatefun({ ...config, limits }, context), entities }
    })

    it('puts a reservation back when its time is over, unless it was collected', async () => {
      await call('POST', '/item', { item_name: 'lamp', price: 3 })
      await call('POST', '/item/lamp/set_stock', { amount: 5 })
      const { body: reservation } = await call('POST', '/item/lamp/reserve', { amount: 1, seconds: 3_600 })
      expect((await call('GET', '/item/lamp')).body).toMatchObject({
        stock: 4,
        reservations: { [`${reservation}`]: 1 },
      })
      expect((await call('POST', '/item/lamp/collect', { reservation })).body).toBe(true)
      expect((await call('POST', '/item/lamp/collect', { reservation })).body).toBe(false)
      expect((await call('POST', '/item/lamp/reserve', { amount: 2, seconds: 0.5 })).status).toBe(200)
      await until('the reservation expires', async () => (await call('GET', '/item/lamp/stock')).body === 4)
      expect((await call('GET', '/item/lamp')).body).toMatchObject({ stock: 4, reservations: {} })
      expectProblem(await call('POST', '/item/lamp/reserve', { amount: 9, seconds: 1 }), 409, 'method_raised', 'raised')
    })

    it('gives 5,000 calls, 64 at a time, 5,000 right answers', async () => {
      let left = 5_000
      let wrong = 0
      const worker = async (_: unknown, index: number) => {
        const name = unique(`worker-${index}`)
        const path = `/user/${name}`
        await newUser(name)
        for (let balance = 1; left-- > 0; ) {
          const answer = index % 2 === 0 ? await call('POST', `${path}/get_balance`) : await call('GET', path)
          const found = index % 2 === 0 ? answer.body : Object(answer.body).balance
          if (answer.status !== 200 || found !== balance) wrong++
          if (left-- <= 0) break
          balance += index
          if ((await call('POST', `${path}/update_balance`, { x: index })).status !== 204) wrong++
        }
      }
      await Promise.all(Array.from({ length: 64 }, worker))
      expect(wrong).toBe(0)
      expect(left).toBeLessThanOrEqual(0)
    }, 120_000)

    describe('under what ends a job', () => {
      it('makes no record of it', async () => {
        const before = await endOffsets(kafka.brokers, shop.requestTopics)
        for (const poison of [...statefunPoison, ...malformedRequests]) {
          const { status } = await sendRaw(gateway.url, poison)
          expect.soft(status, poison.kind).toBeGreaterThanOrEqual(400)
          expect.soft(status, poison.kind).toBeLessThan(500)
        }
        expect(await endOffsets(kafka.brokers, shop.requestTopics)).toEqual(before)
      })

      it('takes no header for a part of the record', async () => {
        const hatter = unique('hatter')
        await newUser(hatter)
        for (const headers of envelopeHeaders) {
          const { status, body } = await call('POST', `/user/${hatter}/get_balance`, {}, headers)
          expect([headers, status, body]).toEqual([headers, 200, 1])
        }
      })

      it('asks for strange keys as for others', async () => {
        for (const key of strangeKeys) {
          const answer = await call('POST', `/user/${encodeURIComponent(key)}/get_balance`, {})
          expect([key, answer.status]).toEqual([key, 404])
          expectProblem(answer, 404, 'entity_not_found')
        }
      })

      it('has kept the job alive: it has not restarted once, and answers', async () => {
        expect(await shop.cluster.restarts()).toBe(0)
        expect(shop.cluster.alive()).toBe(true)
        await newUser(unique('still-there'))
      })
    })

    it('goes on after kill -9 and a restore: state is back, waiting calls are answered, duplicates dropped', async () => {
      const { cluster } = shop
      const users = Array.from({ length: 30 }, (_, index) => unique(`phoenix-${index}`))
      const all = async (verb: string, path: string, body?: unknown) => {
        const answers = await Promise.all(users.map((user) => call(verb, `/user/${user}${path}`, body)))
        return answers.map(({ status, body }) => [status, body])
      }
      const each = (status: number, body?: unknown) => users.map(() => [status, body])
      const duplicates = () => gateway.runtimes.adapters.get('statefun')?.counters().duplicate ?? 0

      await Promise.all(users.map(newUser))
      expect(await all('POST', '/update_balance', { x: 9 })).toEqual(each(204))
      const checkpoint = await cluster.checkpoints()
      // The second one from now began after those calls; what is done right after it is in none.
      await until('two checkpoints', async () => (await cluster.checkpoints()) >= checkpoint + 2, 20_000)
      expect(await all('POST', '/update_balance', { x: 10 })).toEqual(each(204))
      await cluster.kill()
      expect(cluster.alive()).toBe(false)

      const before = duplicates()
      const waiting = all('POST', '/update_balance', { x: 100 })
      await cluster.restore()
      expect(await waiting).toEqual(each(204))
      expect(await all('POST', '/get_balance')).toEqual(each(200, 120))
      await until('the replayed calls are answered again', () => duplicates() > before, 20_000)
      expect(await cluster.restarts()).toBe(0)
    }, 180_000)
  },
)
