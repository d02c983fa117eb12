import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { freePorts } from '../helpers/free-ports.ts'
import { createFullPipe } from '../helpers/full-pipe.ts'
import { binFile, type GatewayProcess, type ProcessOptions, startProcess } from '../helpers/gateway-process.ts'
import { callerOf } from '../helpers/shop-transcript.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'

const running: GatewayProcess[] = []
let folder: TemporaryFolder

beforeEach(() => {
  folder = createTemporaryFolder()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()))
  folder.close()
})

function serve({ args = [], env = {}, ...options }: ProcessOptions = {}): GatewayProcess {
  const one = startProcess({ ...options, args: ['serve', ...args], env: { PORT: '0', ...env } })
  running.push(one)
  return one
}

describe('the state', () => {
  it('in a data folder is there again after SIGKILL', async () => {
    const env = { GATEWAY_DATA_FOLDER: join(folder.path, 'data') }
    const first = serve({ env })
    const call = callerOf(await first.url())
    expect((await call('POST', '/user', { username: 'alice' })).status).toBe(201)
    expect((await call('POST', '/user/alice/update_balance', { x: 41 })).status).toBe(204)
    first.child.kill('SIGKILL')
    expect(await first.exit()).toBeNull()
    const again = callerOf(await serve({ env }).url())
    expect((await again('POST', '/user/alice/get_balance')).body).toBe(42)
  })
})

describe('SIGTERM', () => {
  /** A route that waits for the test's file, then calls an entity: a call under way for as long as a test likes. */
  function slowRoute(): { readonly routes: string; readonly release: () => void } {
    const gate = join(folder.path, 'go')
    const routes = folder.write(
      'slow.mjs',
      `import { existsSync } from 'node:fs'
       import { setTimeout } from 'node:timers/promises'
       export default async function slow(app) {
         app.get('/slow', async (request) => {
           request.log.info('under way')
           while (!existsSync(${JSON.stringify(gate)})) await setTimeout(10)
           return { balance: await app.gateway.entity('User', 'alice').call('get_balance') }
         })
       }`,
    )
    return { routes, release: () => writeFileSync(gate, '') }
  }

  it('lets a call under way end, takes no new connections and exits with 0', async () => {
    const { routes, release } = slowRoute()
    const gateway = serve({ env: { GATEWAY_ROUTES: routes } })
    const url = await gateway.url()
    await callerOf(url)('POST', '/user', { username: 'alice' })
    const answer = fetch(`${url}/slow`)
    await gateway.said('under way')
    gateway.child.kill('SIGTERM')
    await vi.waitUntil(async () => !(await accepts(url)), { timeout: 5_000, interval: 20 })
    release()
    const response = await answer
    expect([response.status, await response.json()]).toEqual([200, { balance: 1 }])
    expect(await gateway.exit()).toBe(0)
  })

  it('does not wait for a connection that never asked for anything', async () => {
    const gateway = serve()
    const { hostname, port } = new URL(await gateway.url())
    const silent = connect(Number(port), hostname).resume()
    await once(silent, 'connect')
    const closed = once(silent, 'close')
    gateway.child.kill('SIGTERM')
    expect(await gateway.exit()).toBe(0)
    await closed
  })

  it('waits for calls no longer than configured, then cuts them off and exits', async () => {
    const { routes } = slowRoute()
    const gateway = serve({ env: { GATEWAY_ROUTES: routes, GATEWAY_SHUTDOWN_GRACE_MS: '100' } })
    const answer = fetch(`${await gateway.url()}/slow`).catch((error: unknown) => error)
    await gateway.said('under way')
    gateway.child.kill('SIGTERM')
    expect(await gateway.exit()).toBe(0)
    expect(await answer).toBeInstanceOf(TypeError)
  })

  it.each(['false', 'true'])(
    'ends with 0 a gateway whose log’s reader has stopped: LOG_REQUESTS=%s',
    async (logRequests) => {
      const pipe = createFullPipe(folder)
      const [port = 0] = await freePorts(1)
      const gateway = serve({ ...into(pipe.path), env: { PORT: String(port), LOG_REQUESTS: logRequests } })
      await vi.waitUntil(() => isLive(port), { timeout: 30_000, interval: 20 })
      gateway.child.kill('SIGTERM')
      expect(await gateway.exit()).toBe(0)
      pipe.close()
    },
  )
})

describe('a log that goes to a full disk', () => {
  it.each([
    ['of its start and its end', {}],
    ['of its requests', { LOG_REQUESTS: 'true' }],
  ])('neither stops the gateway nor keeps it from stopping: lines %s', async (_lines, env) => {
    const [port = 0] = await freePorts(1)
    const gateway = serve({ ...into('/dev/full'), env: { PORT: String(port), ...env } })
    await vi.waitUntil(() => isLive(port), { timeout: 30_000, interval: 20 })
    expect(await isLive(port)).toBe(true)
    gateway.child.kill('SIGTERM')
    expect(await gateway.exit()).toBe(0)
  })

  it('does not hide why a start has failed', async () => {
    const gateway = serve({ ...into('/dev/full'), env: { GATEWAY_METADATA: 'nowhere.json' } })
    expect(await gateway.exit()).toBe(1)
    expect(gateway.stderr()).toContain('nowhere.json')
  })
})

/** A process whose standard output is a file. */
function into(path: string): ProcessOptions {
  return { command: ['/bin/sh', '-c', `exec "$0" "$@" > "${path}"`, process.execPath, binFile] }
}

async function isLive(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/-/livez`).catch(() => undefined)
  return answer?.status === 200
}

async function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  try {
    return await new Promise((resolve) =>
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
    )
  } finally {
    socket.destroy()
  }
}
