import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { type GatewayProcess, startProcess } from '../helpers/gateway-process.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { startRedis } from '../helpers/redis-server.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'
import { unique } from '../helpers/unique.ts'
import { until } from '../helpers/until.ts'
import { ask, linesOf, pidOf, urlOf } from '../helpers/worker-process.ts'

const running: GatewayProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
})

function serve(env: Readonly<Record<string, string>>): GatewayProcess {
  const one = startProcess({ args: ['serve'], env: { PORT: '0', GATEWAY_WORKERS: '2', ...env } })
  running.push(one)
  return one
}

/** Milliseconds: each start is that of three processes, on a machine that others load too. */
const patience = { timeout: 120_000 }

async function exitOf(gateway: GatewayProcess): Promise<number | null> {
  await until('it has ended', () => gateway.child.exitCode !== null, patience.timeout)
  return gateway.exit()
}

describe('a start with workers', patience, () => {
  it.each([
    ['embedded', {}],
    ['statefun-endpoint', { GATEWAY_RUNTIME: 'statefun-endpoint' }],
  ])('is refused in one line where the runtime keeps its state in one process: %s', async (runtime, env) => {
    const gateway = serve(env)
    expect(await exitOf(gateway)).toBe(2)
    expect([gateway.stdout(), gateway.stderr()]).toEqual([
      '',
      `stateflow-gateway: GATEWAY_WORKERS=2: the runtime "${runtime}" keeps its state in one process, so it can have one worker only.\n`,
    ])
  })

  it('that can’t reach its brokers says so once and exits with 1', async () => {
    const gateway = serve({
      GATEWAY_RUNTIME: 'stateflow',
      GATEWAY_METADATA: 'test/golden/stateflow/demo.metadata.json',
      KAFKA_BROKERS: '127.0.0.1:1',
      LOG_LEVEL: 'fatal',
    })
    expect(await exitOf(gateway)).toBe(1)
    expect(gateway.stdout()).toBe('')
    expect(gateway.stderr()).toMatch(
      /^stateflow-gateway: Kafka can't be reached at 127\.0\.0\.1:1: .*ECONNREFUSED[^\n]*\n$/,
    )
  })
})

const reason = kafkaUnavailable()
const name = randomUUID().slice(0, 8)
const topics = { requests: `crew-${name}-requests`, replies: `crew-${name}-replies` }

describe.skipIf(reason !== undefined)(
  `a container with workers${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  patience,
  () => {
    let runtime: AddingRuntime
    let folder: TemporaryFolder
    let env: Readonly<Record<string, string>>

    beforeAll(async () => {
      const kafka = await sharedKafka()
      await kafka.createTopics({ name: topics.requests, partitions: 1 }, { name: topics.replies, partitions: 1 })
      runtime = await startAddingRuntime(kafka.brokers, topics)
      folder = createTemporaryFolder()
      env = {
        GATEWAY_METADATA: folder.write('crew.metadata.json', addingMetadata),
        GATEWAY_RUNTIME: 'stateflow',
        KAFKA_BROKERS: kafka.brokers.join(','),
        STATEFLOW_SERIALIZER: 'json',
        STATEFLOW_REQUEST_TOPIC: topics.requests,
        STATEFLOW_REPLY_TOPIC: topics.replies,
      }
    }, 240_000)
    afterAll(async () => {
      await runtime?.close()
      folder?.close()
    })

    function add(url: string, headers: Readonly<Record<string, string>> = {}) {
      const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
      return ask(`${url}/account/shared/add`, { ...init, body: '{"amount":1}' })
    }

    async function hasEnded(pid: number): Promise<void> {
      await until(`${pid} has ended`, () => {
        try {
          return !process.kill(pid, 0)
        } catch {
          return true
        }
      })
    }

    it('on a port that is taken says so once and exits with 1', async () => {
      const taken = createServer().listen(0, '127.0.0.1')
      await once(taken, 'listening')
      const address = taken.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      const gateway = serve({ ...env, PORT: String(port), LOG_LEVEL: 'warn' })
      expect(await exitOf(gateway)).toBe(1)
      expect(gateway.stderr()).toMatch(new RegExp(`^stateflow-gateway: .*EADDRINUSE.*:${port}\n$`))
      taken.close()
    })

    it('shows all workers on its management port, and ends with the interrupt that a terminal sends to each process', async () => {
      const [port = 0] = await freePorts(1)
      const gateway = serve({ ...env, MANAGEMENT_PORT: String(port) })
      const url = await urlOf(gateway)
      for (let calls = 0; calls < 10; calls++) expect((await add(url)).status).toBe(200)
      const { text } = await ask(`http://127.0.0.1:${port}/-/metrics`)
      expect(text).toMatch(/^gateway_calls_total\{.*outcome="returned".*\} 10$/m)
      for (const worker of ['1', '2', 'primary']) {
        expect(text).toMatch(new RegExp(`^process_resident_memory_bytes{worker="${worker}"} \\d+$`, 'm'))
      }
      const ready = await ask(`http://127.0.0.1:${port}/-/readyz?verbose`)
      expect(ready.text).toContain('"name":"workers","ok":true')
      runtime.hold()
      const waiting = Promise.all([add(url), add(url)])
      await until('both are under way', async () => {
        return /^gateway_pending_calls\{.*\} 2$/m.test((await ask(`http://127.0.0.1:${port}/-/metrics`)).text)
      })
      const pids = [gateway.child.pid ?? 0, pidOf(gateway, 1), pidOf(gateway, 2)]
      for (const pid of pids) process.kill(pid, 'SIGINT')
      await runtime.release()
      expect((await waiting).map(({ status }) => status)).toEqual([200, 200])
      expect(await exitOf(gateway)).toBe(0)
    })

    it('starts a worker again that was told to end, and goes with its primary', async () => {
      const gateway = serve(env)
      const url = await urlOf(gateway)
      process.kill(pidOf(gateway, 1), 'SIGTERM')
      const isBack = () => linesOf(gateway).some(({ msg }) => msg === 'a worker serves again')
      await until('it serves again', isBack, patience.timeout)
      expect((await add(url)).status).toBe(200)
      const pids = [1, 2].map((worker) => pidOf(gateway, worker))
      gateway.child.kill('SIGKILL')
      for (const pid of pids) await hasEnded(pid)
    })

    it('closes at once what comes when all workers have as many connections as they may', async () => {
      const gateway = serve({ ...env, GATEWAY_MAX_CONNECTIONS: '1' })
      const { hostname, port } = new URL(await urlOf(gateway))
      const sockets = Array.from({ length: 4 }, () =>
        connect(Number(port), hostname)
          .resume()
          .on('error', () => undefined),
      )
      try {
        await until('two are closed', () => sockets.filter(({ closed }) => closed).length === 2)
        const open = sockets.find(({ closed }) => !closed)
        open?.write('GET /-/livez HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n')
        await until('it was answered', () => (open?.bytesRead ?? 0) > 0)
        // That one may have been closed after its answer, as it wished.
        expect(sockets.filter((socket) => socket !== open && socket.closed)).toHaveLength(2)
      } finally {
        for (const socket of sockets) socket.destroy()
      }
    })

    it('exits with 1 when a worker ends again and again', async () => {
      const flag = join(folder.path, unique('fail'))
      const routes = folder.write(
        'failing.mjs',
        `import { existsSync } from 'node:fs'
         if (existsSync(${JSON.stringify(flag)})) throw new Error('the routes are broken')
         export default async function none() {}`,
      )
      const gateway = serve({ ...env, GATEWAY_ROUTES: routes })
      await urlOf(gateway)
      writeFileSync(flag, '')
      process.kill(pidOf(gateway, 2), 'SIGKILL')
      expect(await exitOf(gateway)).toBe(1)
      expect(gateway.stdout()).toContain('again and again; the gateway stops')
      const said = linesOf(gateway).map(({ msg }) => msg)
      expect(said.filter((msg) => /^a worker can’t start: .*the routes are broken/s.test(msg))).toHaveLength(5)
      await hasEnded(pidOf(gateway, 1))
    })

    const noRedis = redisUnavailable()
    it.skipIf(noRedis !== undefined)(
      `with Redis keeps its invocations there${noRedis === undefined ? '' : ` [skipped: ${noRedis}]`}`,
      async () => {
        const redis = await startRedis({ appendOnly: false })
        try {
          const gateway = serve({ ...env, REDIS_URL: redis.url })
          const url = await urlOf(gateway)
          const accepted = await Promise.all([1, 2].map(() => add(url, { prefer: 'respond-async' })))
          const locations = accepted.map(({ headers }) => headers.get('location') ?? '')
          expect(new Set(locations.map((one) => one.slice(-6))).size).toBe(2)
          for (const location of [...locations, ...locations]) {
            await until('there is a result', async () => (await ask(`${url}${location}/result`)).status === 200)
          }
          expect((await ask(`${url}/-/readyz?verbose`)).text).toContain('"name":"redis store","ok":true')
        } finally {
          await redis.close()
        }
      },
    )
  },
)
