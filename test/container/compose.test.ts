import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GatewayProcess, root, startProcess } from '../helpers/gateway-process.ts'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { type Caller, callerOf } from '../helpers/shop-transcript.ts'
import {
  missingParts,
  pythonEnvironment,
  RUNTIMES,
  requirePath,
  virtualEnvironment,
} from '../helpers/stateflow-sources.ts'
import { type StatefunCluster, startStatefunCluster } from '../helpers/statefun-cluster.ts'
import { statefunUnavailable } from '../helpers/statefun-jars.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { until } from '../helpers/until.ts'
import { composeEnvironment } from './compose-file.ts'

/**
 * What docker/compose.yaml starts, without an engine: the same programs and variables as processes of this machine, StateFlow from
 * STATEFLOW_HOME instead of its repository, Kafka and StateFun from their jars instead of their images.
 */

const checks = [kafkaUnavailable, redisUnavailable, statefunUnavailable]
const unavailable = missingParts([], checks)
const sources = join(root, 'docker/stateflow')
const closing: (() => Promise<void> | void)[] = []

let folder: TemporaryFolder
let kafka: Kafka
let redis: RedisServer
let cluster: StatefunCluster
let python: string
let addresses: Readonly<Record<string, string>>
let url: string
let call: Caller

async function startEverything(): Promise<void> {
  folder = createTemporaryFolder()
  closing.push(() => folder.close())
  python = await virtualEnvironment('stateflow-compose-venv', relative(RUNTIMES, join(sources, 'requirements.txt')))
  kafka = await startKafka({ settings: brokerSettings() })
  closing.push(() => kafka.close())
  redis = await startRedis()
  closing.push(() => redis.close())
  const port = String(await freePort())
  addresses = {
    'kafka:9092': kafka.brokers.join(','),
    'redis:6379': `127.0.0.1:${redis.port}`,
    'functions:8000': `127.0.0.1:${port}`,
    '/compiled': folder.path,
  }
  const prepare = startPython('prepare.py', { ...composeEnvironment('prepare', addresses), COMPILED: folder.path })
  expect([await prepare.exit(), prepare.stderr()]).toEqual([0, expect.any(String)])
  const local = { HOST: '127.0.0.1', PORT: port }
  await startPython('functions.py', { ...composeEnvironment('functions', addresses), ...local }).said('Running on')
  const module = readFileSync(join(folder.path, 'module.yaml'), 'utf8')
  cluster = await startStatefunCluster({ module, configuration: { 'execution.buffer-timeout': '0 ms' } })
  closing.push(() => cluster.close())
  const env = { ...composeEnvironment('gateway', addresses), PORT: '0' }
  const gateway = startProcess({ args: ['serve'], env })
  closing.push(() => gateway.close())
  url = await gateway.url()
  call = callerOf(url)
  await until('the gateway is ready', async () => (await call('GET', '/-/readyz')).status === 200, 60_000)
}

function startPython(program: string, env: Readonly<Record<string, string>>): GatewayProcess {
  const folders = [sources, requirePath('STATEFLOW_HOME'), join(root, 'exporters/stateflow')]
  // Variables of the image.
  const image = { PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION: 'python' }
  const paths = Object.fromEntries(
    Object.entries(pythonEnvironment(folders)).map(([name, value]) => [name, value ?? '']),
  )
  const one = startProcess({ command: [python, join(sources, program)], env: { ...paths, ...image, ...env } })
  closing.push(() => one.close())
  return one
}

/** Those of the broker's that don't name its addresses, as the image of Kafka turns them into properties. */
function brokerSettings(): Readonly<Record<string, string>> {
  const own = /LISTENER|VOTERS|ROLES|NODE_ID/
  const settings = Object.entries(composeEnvironment('kafka', {})).filter(([name]) => !own.test(name))
  return Object.fromEntries(
    settings.map(([name, value]) => [
      name
        .replace(/^KAFKA_/, '')
        .toLowerCase()
        .replaceAll('_', '.'),
      value,
    ]),
  )
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    const port = address !== null && typeof address === 'object' ? address.port : 0
    server.close(() => resolve(port))
  })
  return promise
}

const suite = unavailable === undefined ? 'what compose starts' : `what compose starts [${unavailable}]`
describe.skipIf(unavailable !== undefined)(suite, () => {
  beforeAll(startEverything, 600_000)
  afterAll(async () => {
    for (const close of closing.reverse()) await close()
  })

  it('compiles the shop, makes its topics, and serves it with docs', async () => {
    expect((await fetch(`${url}/docs`)).status).toBe(200)
    const { body } = await call('GET', '/openapi.json')
    expect(Object.keys((body as { paths: object }).paths)).toEqual(
      expect.arrayContaining(['/user/{key}/buy_item', '/item/{key}/update_stock']),
    )
  })

  it('runs the shop’s calls on StateFun, a call over two entities among them', async () => {
    expect((await call('POST', '/user', { username: 'alice' })).status).toBe(201)
    expect((await call('POST', '/item', { item_name: 'pen', price: 2 })).status).toBe(201)
    expect((await call('POST', '/item/pen/update_stock', { amount: 5 })).body).toBe(true)
    expect((await call('POST', '/user/alice/update_balance', { x: 9 })).status).toBe(204)
    expect((await call('POST', '/user/alice/buy_item', { amount: 3, item: 'pen' })).body).toBe(true)
    expect((await call('POST', '/user/alice/get_balance')).body).toBe(4)
    expect((await call('GET', '/item/pen/stock')).body).toBe(2)
    expect((await call('POST', '/user/alice/buy_item', { amount: 3, item: 'pen' })).body).toBe(false)
  })
})
