import { randomUUID } from 'node:crypto'
import { renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { openBatch } from '../helpers/batch-client.ts'
import { type CounterFunction, counterMetadata, startCounterFunction } from '../helpers/counter-function.ts'
import { type GatewayProcess, runProcess, startProcess } from '../helpers/gateway-process.ts'
import { kafkaClients, testConnection } from '../helpers/kafka-clients.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'

let folder: TemporaryFolder
beforeEach(() => {
  folder = createTemporaryFolder()
})
afterEach(() => folder.close())

async function statusOf(url: string, path: string, body: object = {}): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).status
}

describe('the process', () => {
  let counter: CounterFunction
  const running: GatewayProcess[] = []
  beforeAll(async () => {
    counter = await startCounterFunction()
  })
  afterEach(async () => {
    await Promise.all(running.splice(0).map((one) => one.close()))
  })
  afterAll(() => counter?.close())

  function serve(env: Readonly<Record<string, string>>): GatewayProcess {
    const one = startProcess({ args: ['serve'], env: { PORT: '0', GATEWAY_RUNTIME: 'statefun-endpoint', ...env } })
    running.push(one)
    return one
  }

  it('reads its metadata again at SIGHUP, and goes on with the old where the new breaks callers', async () => {
    const file = folder.write('counter.json', counterMetadata(counter.url, ['add']))
    const gateway = serve({ GATEWAY_METADATA: file })
    const url = await gateway.url()
    expect(await statusOf(url, '/counter/a/look')).toBe(404)
    folder.write('counter.json', counterMetadata(counter.url))
    gateway.child.kill('SIGHUP')
    await gateway.said('the new metadata serves')
    expect(await statusOf(url, '/counter/a/look')).toBe(200)
    folder.write('counter.json', counterMetadata(counter.url, ['add']))
    gateway.child.kill('SIGHUP')
    await gateway.said('Counter.look: is gone')
    expect(await statusOf(url, '/counter/a/look')).toBe(200)
    gateway.child.kill('SIGTERM')
    expect(await gateway.exit()).toBe(0)
  })

  it('takes a SIGHUP that comes while it starts, and reads once it serves', async () => {
    const file = folder.write('counter.json', counterMetadata(counter.url, ['add']))
    const gate = join(folder.path, 'go')
    const routes = folder.write(
      'late.mjs',
      `import { existsSync } from 'node:fs'
       import { setTimeout } from 'node:timers/promises'
       process.stdout.write('loading\\n')
       while (!existsSync(${JSON.stringify(gate)})) await setTimeout(10)
       export default async function late() {}`,
    )
    const gateway = serve({ GATEWAY_METADATA: file, GATEWAY_ROUTES: routes })
    await gateway.said('loading')
    folder.write('counter.json', counterMetadata(counter.url))
    gateway.child.kill('SIGHUP')
    folder.write('go', '')
    const url = await gateway.url()
    await until('it is served', async () => (await statusOf(url, '/counter/a/look')) === 200)
  })

  it('stops within its grace while a reload is under way that takes longer', async () => {
    const file = folder.write('counter.json', counterMetadata(counter.url, ['add']))
    const routes = folder.write(
      'slow.mjs',
      `import { setTimeout } from 'node:timers/promises'
       let times = 0
       export default async function slow() {
         if (times++ === 0) return
         process.stdout.write('registering\\n')
         await setTimeout(8_000)
       }`,
    )
    const env = { GATEWAY_METADATA: file, GATEWAY_ROUTES: routes, GATEWAY_SHUTDOWN_GRACE_MS: '500' }
    const gateway = serve(env)
    await gateway.url()
    folder.write('counter.json', counterMetadata(counter.url))
    gateway.child.kill('SIGHUP')
    await gateway.said('registering')
    gateway.child.kill('SIGTERM')
    expect(await gateway.exit()).toBe(0)
  })

  it('sees a folder’s link lead elsewhere, as Kubernetes exchanges a ConfigMap', async () => {
    const write = (version: string, names: readonly string[]) => {
      folder.write(`${version}/counter.json`, counterMetadata(counter.url, names))
      symlinkSync(version, join(folder.path, 'next'))
      renameSync(join(folder.path, 'next'), join(folder.path, '..data'))
    }
    write('..1', ['add'])
    symlinkSync('..data/counter.json', join(folder.path, 'counter.json'))
    const env = { GATEWAY_METADATA: folder.path, GATEWAY_RELOAD: 'watch', GATEWAY_RELOAD_INTERVAL_MS: '30' }
    const gateway = serve(env)
    const url = await gateway.url()
    expect(await statusOf(url, '/counter/a/look')).toBe(404)
    write('..2', ['add', 'look'])
    await until('it is served', async () => (await statusOf(url, '/counter/a/look')) === 200)
  })
})

describe('stateflow-gateway diff', () => {
  it('names each change, and fails where one breaks callers', async () => {
    const old = folder.write('old.json', counterMetadata('http://127.0.0.1:1/', ['look']))
    const next = folder.write('new.json', counterMetadata('http://127.0.0.1:1/', ['add']))
    const { code, stdout } = await runProcess({ args: ['diff', old, next] })
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'breaks  Counter.look: is gone',
      'fine    Counter.add: is new',
      '2 changes, 1 of them break callers',
    ])
    expect(code).toBe(1)
  })

  it('ends well where nothing breaks callers, reading both under what one overrides file says of either', async () => {
    const old = folder.write('old.json', counterMetadata('http://127.0.0.1:1/', ['look']))
    const next = folder.write('new.json', counterMetadata('http://127.0.0.1:1/', ['add']))
    const overrides = folder.write('overrides.json', {
      'Counter.look': { expose: false },
      'Counter.add': { path: '/counter/{key}/more' },
    })
    const { code, stdout } = await runProcess({ args: ['diff', old, next], env: { GATEWAY_OVERRIDES: overrides } })
    expect([stdout, code]).toEqual(['fine    Counter.add: is new\n1 changes, 0 of them break callers\n', 0])
  })

  it('takes two things to compare, and no third', async () => {
    const { code, stderr } = await runProcess({ args: ['diff', 'old.json', 'new.json', 'newer.json'] })
    expect([code, stderr]).toEqual([2, expect.stringContaining('diff OLD NEW')])
  })
})

const reason = kafkaUnavailable()
const prefix = `reload-${randomUUID().slice(0, 8)}-`
const topics = { requests: `${prefix}global_Account`, replies: `${prefix}replies` }

describe.skipIf(reason !== undefined)(`calls over Kafka${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let runtime: AddingRuntime
  let env: Readonly<Record<string, string>>

  beforeAll(async () => {
    const { brokers, createTopics } = await sharedKafka()
    await createTopics(...[...Object.values(topics), `${prefix}global_Account_create`].map((name) => ({ name })))
    runtime = await startAddingRuntime(brokers, topics)
    env = {
      ...{ GATEWAY_RUNTIME: 'stateflow', KAFKA_BROKERS: brokers.join(','), KAFKA_CREATE_TOPIC_PARTITIONS: '1' },
      ...{ STATEFLOW_SERIALIZER: 'json', STATEFLOW_ROUTING: 'statefun', STATEFLOW_TOPIC_PREFIX: prefix },
      ...{ STATEFLOW_PING_TOPIC: topics.requests, STATEFLOW_REPLY_TOPIC: topics.replies },
      GATEWAY_RELOAD_BREAKING: 'allow',
    }
  }, 240_000)
  afterAll(() => runtime?.close())

  const [account] = addingMetadata.entities
  const withMethod = (name: string) => ({ ...account, methods: [{ ...account.methods[0], name }] })

  async function callAcross(next: object) {
    const file = folder.write('adding.json', addingMetadata)
    const gateway = await startGateway({ ...env, GATEWAY_METADATA: file })
    const adapter = gateway.runtimes.adapters.get('stateflow')
    try {
      runtime.hold()
      const calls = Array.from({ length: 20 }, () => statusOf(gateway.url, '/account/a/add', { amount: 1 }))
      const pending = () => adapter?.counters().pending
      await until('all are sent', () => pending() === 20)
      folder.write('adding.json', next)
      expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
      expect(await statusOf(gateway.url, '/account/a/add', { amount: 1 })).toBe(404)
      const after = statusOf(gateway.url, '/account/a/increase', { amount: 1 })
      await runtime.release()
      expect(new Set(await Promise.all([...calls, after]))).toEqual(new Set([200]))
      await until('nothing waits', () => pending() === 0)
      return { isSame: gateway.runtimes.adapters.get('stateflow') === adapter }
    } finally {
      await runtime.release()
      await gateway.close()
    }
  }

  it('that are under way across a swap are answered, on the connections that there are', async () => {
    const next = { ...addingMetadata, entities: [withMethod('increase')] }
    expect(await callAcross(next)).toEqual({ isSame: true })
  }, 60_000)

  it('are answered by the adapter that sent them, where a new entity’s topic needs another one', async () => {
    const shop = { ...account, name: 'Shop' }
    const next = { ...addingMetadata, entities: [withMethod('increase'), shop] }
    expect(await callAcross(next)).toEqual({ isSame: false })
  }, 60_000)

  const beyond = { ...addingMetadata, entities: [account, { ...account, name: 'Shop' }] }

  async function acrossAdapters(use: (gateway: RunningGateway, swap: () => Promise<void>) => Promise<void>) {
    const file = folder.write('adding.json', addingMetadata)
    const gateway = await startGateway({ ...env, GATEWAY_METADATA: file })
    const adapter = gateway.runtimes.adapters.get('stateflow')
    const swap = async () => {
      folder.write('adding.json', beyond)
      expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
      expect(gateway.runtimes.adapters.get('stateflow')).not.toBe(adapter)
    }
    try {
      await use(gateway, swap)
    } finally {
      await runtime.release()
      await gateway.close()
    }
  }

  it('of a batch that was open before are sent as before, also where another adapter serves by now', async () => {
    await acrossAdapters(async ({ url }, swap) => {
      const batch = await openBatch(url)
      const line = (id: number) => ({ id, entity: 'account', key: 'b', method: 'add', args: { amount: 1 } })
      batch.send(line(1))
      expect(await batch.next()).toMatchObject({ id: 1, status: 200 })
      await swap()
      // Adapters that may go are looked for four times a second.
      await delay(1_000)
      batch.send(line(2))
      expect(await batch.next()).toMatchObject({ id: 2, status: 200 })
      expect(await batch.finish()).toEqual([])
    })
  }, 60_000)

  it('that were answered too late can be collected, also where replies come to another topic by then', async () => {
    const [requests, before, after] = ['counter', 'before', 'after'].map((name) => `${prefix}${name}`) as [
      string,
      string,
      string,
    ]
    const { brokers, createTopics } = await sharedKafka()
    await createTopics(...[requests, before, after].map((name) => ({ name })))
    const described = (replies: string) => {
      const runtime = { function: 'test/counter', topic: requests, valueType: 'test/text', replyTopics: [replies] }
      return { ...counterMetadata('http://127.0.0.1:1/', ['add'], { runtime }), runtime: { name: 'statefun' } }
    }
    const functions = kafkaClients.platformatic?.(testConnection(brokers))
    const asked = Promise.withResolvers<string>()
    await functions?.start({
      ...{ requestTopics: [before], replyTopics: [requests] },
      onRecord: ({ value }) => asked.resolve(JSON.parse(value.toString()).correlation_id),
    })
    const file = folder.write('counter.json', described(before))
    const settings = { ...env, GATEWAY_RUNTIME: 'statefun', GATEWAY_METADATA: file }
    const gateway = await startGateway(settings)
    try {
      const headers = { 'content-type': 'application/json', prefer: 'wait=1' }
      const late = await fetch(`${gateway.url}/counter/a/add`, { method: 'POST', headers, body: '{}' })
      expect(late.status).toBe(504)
      folder.write('counter.json', described(after))
      expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
      // As above.
      await delay(1_000)
      const correlation_id = await asked.promise
      const value = Buffer.from(JSON.stringify({ correlation_id, ok: true, result: 7 }))
      await functions?.send({ topic: before, key: Buffer.from('a'), value })
      const url = `${gateway.url}${late.headers.get('location')}/result`
      const collected = await fetch(url, { headers: { prefer: 'wait=5' } })
      expect([collected.status, await collected.json()]).toEqual([200, 7])
    } finally {
      await gateway.close()
      await functions?.close()
    }
  }, 60_000)
})
