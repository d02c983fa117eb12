import { randomInt, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { type GatewayProcess, startProcess } from '../helpers/gateway-process.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { readLog } from '../helpers/kafka-log.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'
import { type Answer, ask, linesOf, pidOf, urlOf } from '../helpers/worker-process.ts'
import { lintPage } from '../unit/observability/lint-page.ts'

const reason = kafkaUnavailable()
const name = randomUUID().slice(0, 8)
const topics = { requests: `workers-${name}-requests`, replies: `workers-${name}-replies` }
const WORKERS = 3

function add(base: string, amount: number, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
  return ask(`${base}/account/shared/add`, { ...init, body: JSON.stringify({ amount }) })
}

/** Digits of an id that say which worker sent the call. */
function senderOf(location: string): string {
  return location.slice(-6)
}

describe.skipIf(reason !== undefined)(`workers${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let runtime: AddingRuntime
  let brokers: readonly string[]
  let folder: TemporaryFolder
  let env: Readonly<Record<string, string>>
  let gateway: GatewayProcess
  let url: string

  beforeAll(async () => {
    const kafka = await sharedKafka()
    brokers = kafka.brokers
    await kafka.createTopics({ name: topics.requests, partitions: 3 }, { name: topics.replies, partitions: 6 })
    runtime = await startAddingRuntime(brokers, topics)
    folder = createTemporaryFolder()
    env = {
      PORT: '0',
      GATEWAY_WORKERS: String(WORKERS),
      GATEWAY_METADATA: folder.write('workers.metadata.json', addingMetadata),
      GATEWAY_RUNTIME: 'stateflow',
      KAFKA_BROKERS: brokers.join(','),
      STATEFLOW_SERIALIZER: 'json',
      STATEFLOW_REQUEST_TOPIC: topics.requests,
      STATEFLOW_REPLY_TOPIC: topics.replies,
    }
    gateway = startProcess({ args: ['serve'], env: { ...env, LOG_REQUESTS: 'true' } })
    url = await urlOf(gateway)
  }, 240_000)
  beforeEach(() => runtime.release())
  afterAll(async () => {
    await gateway?.close()
    await runtime?.close()
    folder?.close()
  })

  async function metric(base: string, wanted: string): Promise<number> {
    const { series, problems } = lintPage((await ask(`${base}/-/metrics`)).text)
    expect(problems).toEqual([])
    return series.filter((one) => one.name === wanted).reduce((sum, { value }) => sum + value, 0)
  }

  async function resultOf(base: string, location: string): Promise<Answer> {
    let answer = await ask(`${base}${location}/result`)
    await until('there is a result', async () => {
      answer = await ask(`${base}${location}/result`)
      return answer.status === 200
    })
    return answer
  }

  it('are announced once, are ready together, and each has its number in the log', async () => {
    const lines = linesOf(gateway)
    expect(lines.filter(({ msg }) => msg.includes('; docs at '))).toHaveLength(1)
    expect(lines.at(-1)?.msg).toMatch(/; 3 workers$/)
    expect(new Set([1, 2, 3].map((worker) => pidOf(gateway, worker))).size).toBe(3)
    const ready = await ask(`${url}/-/readyz?verbose`)
    expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect(ready.body.checks).toContainEqual({ name: 'workers', ok: true, essential: false, detail: '3 of 3 serve.' })
  })

  it('answer 2,000 concurrent calls, each with its own answer, and count them all', async () => {
    const before = await metric(url, 'gateway_calls_total')
    const addedBefore = runtime.added.length
    const answers = await Promise.all(Array.from({ length: 2_000 }, () => add(url, 1)))
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    // Each sum was answered once: no answer went to another's caller.
    expect(new Set(answers.map(({ text }) => text)).size).toBe(2_000)
    expect(runtime.added.length - addedBefore).toBe(2_000)
    for (let worker = 0; worker < WORKERS; worker++) {
      expect((await metric(url, 'gateway_calls_total')) - before).toBe(2_000)
    }
    const used = new Set(linesOf(gateway).flatMap(({ worker }) => worker ?? []))
    expect([...used].sort()).toEqual([1, 2, 3])
  }, 120_000)

  it('collect what another has accepted, await it and stream it', async () => {
    runtime.hold()
    const accepted = await Promise.all(Array.from({ length: WORKERS }, () => add(url, 1, { prefer: 'respond-async' })))
    expect(accepted.map(({ status }) => status)).toEqual([202, 202, 202])
    const locations = accepted.map(({ headers }) => headers.get('location') ?? '')
    expect(new Set(locations.map(senderOf)).size).toBe(WORKERS)
    const [location = ''] = locations
    for (let worker = 0; worker < WORKERS; worker++) {
      expect((await ask(`${url}${location}`)).body).toMatchObject({ state: 'running', operation: 'add' })
    }
    const awaited = Array.from({ length: WORKERS }, () => ask(`${url}${location}`, { headers: { prefer: 'wait=15' } }))
    const streamed = Array.from({ length: WORKERS }, () => ask(`${url}${location}/events`))
    await runtime.release()
    for (const { body } of await Promise.all(awaited)) expect(body).toMatchObject({ state: 'succeeded', status: 200 })
    for (const { text } of await Promise.all(streamed)) expect(text).toContain('"state":"succeeded"')
    for (const one of locations) {
      const results = await Promise.all(Array.from({ length: WORKERS }, () => resultOf(url, one)))
      expect(new Set(results.map(({ text }) => text)).size).toBe(1)
    }
  })

  it('make one record, one execution and 200 equal answers of 200 parallel calls with one key', async () => {
    const recordsBefore = (await readLog(brokers, topics.requests)).length
    const key = randomUUID()
    const amount = randomInt(1_000_000, 1_000_000_000)
    const answers = await Promise.all(Array.from({ length: 200 }, () => add(url, amount, { 'idempotency-key': key })))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(200)
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(199)
    expect(runtime.added.filter((each) => each === amount)).toHaveLength(1)
    expect((await readLog(brokers, topics.requests)).length).toBe(recordsBefore + 1)
  }, 120_000)

  it('take over the calls of one that is killed, which comes back; sums don’t fall', async () => {
    const countedBefore = await metric(url, 'gateway_calls_total')
    runtime.hold()
    const wishes = Array.from({ length: 30 }, (_, at) => (at % 2 === 0 ? 'respond-async' : 'wait=0.5'))
    const accepted = await Promise.all(wishes.map((prefer) => add(url, 1, { prefer })))
    expect(accepted.map(({ status }) => status)).toEqual(wishes.map((_, at) => (at % 2 === 0 ? 202 : 504)))
    const locations = accepted.map(({ headers }) => headers.get('location') ?? '')
    const bySender = Object.groupBy(locations, senderOf)
    expect(Object.keys(bySender)).toHaveLength(WORKERS)
    const times = (start: string) => linesOf(gateway).filter(({ msg }) => msg.startsWith(start)).length
    const [endedBefore, backBefore] = [times('a worker ended (signal SIGKILL)'), times('a worker serves again')]
    const doomed = pidOf(gateway, 2)
    process.kill(doomed, 'SIGKILL')
    await until('it is known', () => times('a worker ended (signal SIGKILL)') > endedBefore)
    await runtime.release()
    for (const location of locations) expect((await resultOf(url, location)).status).toBe(200)
    await until('it serves again', () => times('a worker serves again') > backBefore, 60_000)
    expect(pidOf(gateway, 2)).not.toBe(doomed)
    await until('all are ready', async () => (await ask(`${url}/-/readyz`)).body.status === 'ready')
    expect(await metric(url, 'gateway_calls_total')).toBeGreaterThanOrEqual(countedBefore)
    const answers = await Promise.all(Array.from({ length: 60 }, () => add(url, 1)))
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  }, 120_000)

  it.each(['close', 'keep-alive'])(
    'drop no call under load when the container is stopped, and end with 0: connection %s',
    async (connection) => {
      const stopping = startProcess({ args: ['serve'], env })
      try {
        const base = await urlOf(stopping)
        const addedBefore = runtime.added.length
        const answers: Answer[] = []
        let refused = 0
        const caller = async (): Promise<void> => {
          for (;;) {
            // A connection that is not taken any more has carried no call.
            const answer = await add(base, 1, { connection }).catch(() => undefined)
            if (answer === undefined || answer.status === 503) {
              refused++
              return
            }
            answers.push(answer)
          }
        }
        const callers = Array.from({ length: 30 }, caller)
        await until('there is load', () => answers.length > 200)
        stopping.child.kill('SIGTERM')
        await Promise.all(callers)
        expect(await stopping.exit()).toBe(0)
        expect(refused).toBe(30)
        expect(answers.filter(({ status }) => status !== 200)).toEqual([])
        // What ran was answered: no call was cut off.
        expect(runtime.added.length - addedBefore).toBe(answers.length)
      } finally {
        await stopping.close()
      }
    },
    120_000,
  )
})
