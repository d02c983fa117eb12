import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BatchAnswer, openBatch } from '../helpers/batch-client.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { readLog } from '../helpers/kafka-log.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import type { RuntimeProcess } from '../helpers/runtime-process.ts'
import { startStateflow, stateflowUnavailable } from '../helpers/stateflow-runtime.ts'

const reason = kafkaUnavailable() ?? stateflowUnavailable()
const USERS = 40
const ROUNDS = 25

/** StateFlow's operators, unmodified: what a call finds there shows which ones took effect before it. */
describe.skipIf(reason !== undefined)(
  `a batch over Kafka${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    let kafka: Kafka
    let runtime: RuntimeProcess
    beforeAll(async () => {
      kafka = await startKafka()
      runtime = await startStateflow({ brokers: kafka.brokers.join(','), serializer: 'pickle', routing: 'dataflow' })
    }, 180_000)
    afterAll(async () => {
      await runtime?.close()
      await kafka?.close()
    })

    describe.each(['platformatic', 'kafkajs'])('with %s', (client) => {
      let gateway: RunningGateway
      beforeAll(async () => {
        gateway = await startGateway({
          GATEWAY_RUNTIME: 'stateflow',
          GATEWAY_METADATA: 'test/golden/stateflow/demo.metadata.json',
          KAFKA_BROKERS: kafka.brokers.join(','),
          KAFKA_CLIENT: client,
        })
      }, 60_000)
      afterAll(() => gateway?.close())

      async function answersTo(lines: readonly object[]): Promise<readonly BatchAnswer[]> {
        const batch = await openBatch(gateway.url)
        const reading = batch.rest()
        batch.send(...lines)
        batch.sent.end()
        return reading
      }

      const create = (username: string) => ({ id: `${username} 0`, ...userCall, method: 'create', args: { username } })

      it('makes the calls of one key take effect in the order of its lines, and answers them in that order', async () => {
        const users = Array.from({ length: USERS }, (_, at) => `${client}-${randomUUID().slice(0, 8)}-${at}`)
        const lines: object[] = users.map(create)
        for (let round = 1; round <= ROUNDS; round++) {
          for (const key of users) {
            const id = `${key} ${2 * round - 1}`
            lines.push({ id, ...userCall, key, method: 'update_balance', args: { x: round } })
            lines.push({ id: `${key} ${2 * round}`, ...userCall, key, method: 'get_balance' })
          }
        }
        const answers = await answersTo(lines)
        expect(answers).toHaveLength(USERS * (2 * ROUNDS + 1))
        for (const user of users) {
          const own = answers.filter(({ id }) => String(id).startsWith(`${user} `))
          expect(own.map(({ id }) => id)).toEqual(Array.from({ length: 2 * ROUNDS + 1 }, (_, at) => `${user} ${at}`))
          expect(own[0]?.status).toBe(201)
          const [start, ...balances] = balancesIn(own)
          expect(balances.map((balance) => balance - (start ?? 0))).toEqual(sumsFrom(2, ROUNDS))
        }
      }, 60_000)

      it('has one call of a key on its way at a time, and calls of other keys beside it', async () => {
        const [long, short] = [`${client}-long-${randomUUID()}`, `${client}-short-${randomUUID()}`]
        const calls = Array.from({ length: 60 }, (_, at) => {
          return { id: `long ${at}`, ...userCall, key: long, method: 'update_balance', args: { x: 1 } }
        })
        const after = { id: 'short', ...userCall, key: short, method: 'get_balance' }
        const answers = await answersTo([create(long), create(short), ...calls, after])
        const order = answers.map(({ id }) => id)
        expect(order.filter((id) => String(id).startsWith('long '))).toEqual(calls.map(({ id }) => id))
        // Its line is the last by far.
        expect(order.indexOf('short')).toBeLessThan(order.indexOf('long 30'))
        const requests = await readLog(kafka.brokers, 'client_request')
        const homes = requests.filter(({ key }) => key.includes(long)).map(({ partition }) => partition)
        expect([homes.length, new Set(homes).size]).toEqual([61, 1])
      }, 60_000)
    })
  },
)

const userCall = { entity: 'user' }

function balancesIn(answers: readonly BatchAnswer[]): readonly number[] {
  return answers.flatMap(({ body }) => (typeof body === 'number' ? body : []))
}

/** What was added since the first balance: 2, 2 + 3, 2 + 3 + 4, … */
function sumsFrom(first: number, last: number): readonly number[] {
  let sum = 0
  return Array.from({ length: last - first + 1 }, (_, at) => {
    sum += first + at
    return sum
  })
}
