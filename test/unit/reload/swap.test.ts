import { Agent, request as httpRequest } from 'node:http'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CustomRoutes } from '../../../src/gateway/custom-routes.ts'
import type { GatewayOptions } from '../../../src/gateway/gateway.ts'
import type { HealthCheck } from '../../../src/runtime-adapters/contract.ts'
import { type CounterFunction, counterMetadata, startCounterFunction } from '../../helpers/counter-function.ts'
import { type RunningGateway, startGateway } from '../../helpers/running-gateway.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'
import { until } from '../../helpers/until.ts'

let folder: TemporaryFolder
let counter: CounterFunction
const opened: RunningGateway[] = []

beforeEach(async () => {
  folder = createTemporaryFolder()
  counter = await startCounterFunction()
})
afterEach(async () => {
  counter.release()
  await Promise.all(opened.splice(0).map((gateway) => gateway.close()))
  await counter.close()
  folder.close()
})

function describeCounter(names?: readonly string[], more: object = {}): string {
  return folder.write('counter.json', counterMetadata(counter.url, names, more))
}

async function start(
  env: Readonly<Record<string, string>> = {},
  options: Omit<GatewayOptions, 'config'> = {},
  methods?: readonly string[],
) {
  const settings = { GATEWAY_METADATA: describeCounter(methods), GATEWAY_RUNTIME: 'statefun-endpoint', ...env }
  const gateway = await startGateway(settings, options)
  opened.push(gateway)
  return gateway
}

async function startShop(
  overrides: object,
  env: Readonly<Record<string, string>> = {},
  options: Omit<GatewayOptions, 'config'> = {},
) {
  const gateway = await startGateway({ GATEWAY_OVERRIDES: folder.write('overrides.json', overrides), ...env }, options)
  opened.push(gateway)
  return gateway
}

function post(gateway: RunningGateway, path: string, body: object = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

async function answerTo(gateway: RunningGateway, method: string): Promise<unknown> {
  const response = await post(gateway, `/counter/a/${method}`)
  return response.status === 200 ? response.json() : response.status
}

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly deprecated?: boolean }>>>>

async function operationsOf(gateway: RunningGateway): Promise<Paths> {
  const document: { readonly paths: Paths } = JSON.parse(await (await fetch(`${gateway.url}/openapi.json`)).text())
  return document.paths
}

async function metric(gateway: RunningGateway, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/-/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )
}

async function metadataCheck(gateway: RunningGateway) {
  const text = await (await fetch(`${gateway.url}/-/readyz?verbose`)).text()
  const { checks }: { readonly checks: readonly HealthCheck[] } = JSON.parse(text)
  return checks.find(({ name }) => name === 'metadata')
}

describe('new metadata', () => {
  it('serves from the next request on, with its document, and what was in the runtime is still there', async () => {
    const gateway = await start({}, {}, ['add'])
    expect(await answerTo(gateway, 'add')).toBe(1)
    expect(await answerTo(gateway, 'look')).toBe(404)
    describeCounter()
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped', changes: [{ member: 'look', kind: 'added' }] })
    expect(await answerTo(gateway, 'look')).toBe(1)
    expect(Object.keys(await operationsOf(gateway))).toContain('/counter/{key}/look')
    expect(await gateway.entity('Counter', 'a').call('look')).toBe(1)
    expect(await metric(gateway, 'gateway_generation')).toBe(2)
    expect(await metric(gateway, 'gateway_reloads_total{result="swapped"}')).toBe(1)
  })

  it('is not swapped in when it says what was said before', async () => {
    const gateway = await start()
    const { app } = gateway
    expect(await gateway.reload()).toEqual({ kind: 'unchanged' })
    expect(gateway.app).toBe(app)
  })

  it('leaves a call under way to end with the old', async () => {
    const gateway = await start({ GATEWAY_RELOAD_BREAKING: 'allow' })
    counter.hold()
    const before = post(gateway, '/counter/a/add')
    await until(
      'it is under way',
      async () => (await metric(gateway, 'gateway_pending_calls{runtime="statefun-endpoint"}')) === 1,
    )
    describeCounter(['look'])
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    expect(await answerTo(gateway, 'add')).toBe(404)
    counter.release()
    expect(await (await before).json()).toBe(1)
    expect(await answerTo(gateway, 'look')).toBe(1)
  })

  it('lets custom routes of the old serve until its calls have ended, be that later than a stop would wait', async () => {
    const order: string[] = []
    const opening: CustomRoutes = async (app) => {
      app.addHook('onClose', async () => void order.push('closed'))
    }
    const env = { GATEWAY_RELOAD_BREAKING: 'allow', GATEWAY_SHUTDOWN_GRACE_MS: '20' }
    const gateway = await start(env, { routes: [opening] })
    counter.hold()
    const before = post(gateway, '/counter/a/add')
    const pending = () => metric(gateway, 'gateway_pending_calls{runtime="statefun-endpoint"}')
    await until('it is under way', async () => (await pending()) === 1)
    describeCounter(['look'])
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    setTimeout(() => {
      order.push('released')
      counter.release()
    }, 300)
    expect((await before).status).toBe(200)
    await until('the old one has ended', () => order.length === 2)
    expect(order).toEqual(['released', 'closed'])
  })

  it('serves on a connection that was open before', async () => {
    const gateway = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const sockets = new Set<unknown>()
    const statusOf = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const outgoing = httpRequest(`${gateway.url}/counter/a/more`, { agent, method: 'POST' }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode))
        })
        outgoing.on('socket', (socket) => sockets.add(socket)).on('error', reject)
        outgoing.end()
      })
    expect(await statusOf()).toBe(404)
    describeCounter(undefined, { methods: [{ name: 'more', params: [], returns: {} }] })
    await gateway.reload()
    expect(await statusOf()).toBe(404)
    agent.destroy()
    expect(sockets.size).toBe(1)
  })
})

describe('metadata that can’t be served', () => {
  it('leaves the old serving, and says why', async () => {
    const gateway = await start()
    folder.write('counter.json', '{"formatVersion": 1,')
    expect(await gateway.reload()).toMatchObject({ kind: 'failed' })
    expect(await answerTo(gateway, 'add')).toBe(1)
    expect(await metadataCheck(gateway)).toMatchObject({ ok: false, essential: false })
    expect((await metadataCheck(gateway))?.detail).toContain('counter.json')
    expect((await fetch(`${gateway.url}/-/readyz`)).status).toBe(200)
    expect(await metric(gateway, 'gateway_reloads_total{result="failed"}')).toBe(1)
    describeCounter()
    expect(await gateway.reload()).toEqual({ kind: 'unchanged' })
    expect(await metadataCheck(gateway)).toMatchObject({ ok: true })
  })

  it('is refused whole where the runtime can’t take it without a restart', async () => {
    const gateway = await start()
    describeCounter(undefined, {
      runtime: { function: 'test/other', topic: 'counter', valueType: 'test/text', replyTopics: ['replies'] },
    })
    const result = await gateway.reload()
    expect(String(result.kind === 'failed' && result.error)).toMatch(
      /"counter" led to test\/counter .* needs a restart/,
    )
    expect(await answerTo(gateway, 'add')).toBe(1)
  })
})

describe('metadata that names no endpoints any more', () => {
  it('is refused as it is at the start', async () => {
    const gateway = await start()
    const runtime = { function: 'test/counter', topic: 'counter', valueType: 'test/text', replyTopics: ['replies'] }
    describeCounter(undefined, { runtime })
    const result = await gateway.reload()
    expect(String(result.kind === 'failed' && result.error)).toMatch(/Nothing says where the functions are/)
    expect(await answerTo(gateway, 'add')).toBe(1)
  })
})

describe('a custom route that can’t be registered again', () => {
  it('leaves the old generation serving, and what others had opened is closed', async () => {
    const plugins = { opened: 0, closed: 0 }
    const opening: CustomRoutes = async (app) => {
      plugins.opened++
      app.addHook('onClose', async () => void plugins.closed++)
    }
    const failing: CustomRoutes = async () => {
      if (plugins.opened > 1) throw new Error('Only once.')
    }
    const gateway = await start({}, { routes: [opening, failing] })
    describeCounter(undefined, { description: 'Other words.' })
    expect(await gateway.reload()).toMatchObject({ kind: 'failed', error: { message: 'Only once.' } })
    expect(plugins).toEqual({ opened: 2, closed: 1 })
    expect(await answerTo(gateway, 'add')).toBe(1)
  })
})

describe('a change that breaks callers', () => {
  it('is blocked, named, and taken once it breaks nobody', async () => {
    const gateway = await start()
    describeCounter(['add'])
    const change = { entity: 'Counter', member: 'look', kind: 'gone', breaks: true, text: 'is gone' }
    expect(await gateway.reload()).toEqual({ kind: 'blocked', changes: [change] })
    expect(await answerTo(gateway, 'look')).toBe(0)
    expect((await metadataCheck(gateway))?.detail).toBe('It would break callers: Counter.look: is gone.')
    describeCounter(['add', 'look'], { description: 'It counts.' })
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    expect(await metadataCheck(gateway)).toMatchObject({ ok: true })
  })

  it.each(['warn', 'allow'])('is taken at once by the policy "%s"', async (policy) => {
    const lines: string[] = []
    const stream = { write: (line: string) => void lines.push(line) }
    const gateway = await start({ GATEWAY_RELOAD_BREAKING: policy }, { logger: { level: 'warn', stream } })
    describeCounter(['add'])
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    expect(await answerTo(gateway, 'look')).toBe(404)
    expect(lines.filter((line) => line.includes('Counter.look: is gone'))).toHaveLength(policy === 'warn' ? 1 : 0)
  })
})

describe('what was removed', () => {
  it('is served for a time, and every answer says until when', async () => {
    const sunsetMs = 1_500
    const gateway = await start({ GATEWAY_SUNSET_MS: String(sunsetMs) })
    const fromMs = Date.now()
    describeCounter(['add'])
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    const answer = await post(gateway, '/counter/a/look')
    expect(answer.status).toBe(200)
    const refused = await post(gateway, '/counter/a/look', { what: 1 })
    expect(refused.status).toBe(400)
    for (const { headers } of [answer, refused]) {
      const [, seconds] = /^@(\d+)$/.exec(headers.get('deprecation') ?? '') ?? []
      expect(Math.abs(Number(seconds) * 1_000 - fromMs)).toBeLessThan(2_000)
      expect(Math.abs(Date.parse(headers.get('sunset') ?? '') - fromMs - sunsetMs)).toBeLessThan(2_000)
    }
    expect((await post(gateway, '/counter/a/add')).headers.get('sunset')).toBeNull()
    const paths = await operationsOf(gateway)
    expect(paths['/counter/{key}/look']?.post?.deprecated).toBe(true)
    expect(paths['/counter/{key}/add']?.post?.deprecated).toBeUndefined()
    await until('its time is over', async () => (await answerTo(gateway, 'look')) === 404)
    expect(Date.now() - fromMs).toBeGreaterThan(sunsetMs - 100)
    expect(await answerTo(gateway, 'add')).toBe(2)
    expect(await metric(gateway, 'gateway_reloads_total{result="swapped"}')).toBe(2)
  })

  it('is served for a time where it is a whole entity, too, and breaks nobody then', async () => {
    const gateway = await start({ GATEWAY_SUNSET_MS: '60000' })
    const one = counterMetadata(counter.url)
    const entities = [...one.entities, ...one.entities.map((entity) => ({ ...entity, name: 'Clock' }))]
    folder.write('counter.json', { ...one, entities })
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    expect((await post(gateway, '/clock/a/add')).headers.get('sunset')).toBeNull()
    describeCounter()
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped', changes: [{ entity: 'Clock', kind: 'gone' }] })
    const answer = await post(gateway, '/clock/a/look')
    expect([answer.status, answer.headers.get('sunset')]).toEqual([200, expect.stringContaining('GMT')])
    expect((await post(gateway, '/counter/a/look')).headers.get('sunset')).toBeNull()
  })

  it('keeps its time through further reloads, and stays when it comes back', async () => {
    const gateway = await start({ GATEWAY_SUNSET_MS: '60000' })
    describeCounter(['add'])
    await gateway.reload()
    const sunset = (await post(gateway, '/counter/a/look')).headers.get('sunset')
    describeCounter(['add'], { description: 'Anything.' })
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    expect((await post(gateway, '/counter/a/look')).headers.get('sunset')).toBe(sunset)
    describeCounter()
    await gateway.reload()
    expect((await post(gateway, '/counter/a/look')).headers.get('sunset')).toBeNull()
  })

  it('is not served when it is the operator who hides it', async () => {
    const overrides = folder.write('overrides.json', {})
    const env = { GATEWAY_SUNSET_MS: '60000', GATEWAY_OVERRIDES: overrides, GATEWAY_RELOAD_BREAKING: 'warn' }
    const gateway = await start(env)
    folder.write('overrides.json', { 'Counter.look': { expose: false } })
    await gateway.reload()
    expect(await answerTo(gateway, 'look')).toBe(404)
    folder.write('overrides.json', { Counter: { expose: false } })
    await gateway.reload()
    expect(await answerTo(gateway, 'add')).toBe(404)
  })
})

describe('embedded entities', () => {
  it('keep their state, while what is said around them changes', async () => {
    const gateway = await startShop({}, { GATEWAY_RELOAD_BREAKING: 'allow' })
    await post(gateway, '/user', { username: 'alice' })
    folder.write('overrides.json', { User: { path: 'clients' } })
    expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    expect((await fetch(`${gateway.url}/user/alice`)).status).toBe(404)
    expect(await (await fetch(`${gateway.url}/clients/alice`)).json()).toMatchObject({ username: 'alice' })
  })
})

describe('metadata files that are watched', () => {
  it('are read again when another file takes a name, and when one grows', async () => {
    const gateway = await start({
      GATEWAY_RELOAD: 'watch',
      GATEWAY_RELOAD_INTERVAL_MS: '20',
      GATEWAY_RELOAD_BREAKING: 'allow',
    })
    describeCounter(['add'])
    await until('it is read', async () => (await answerTo(gateway, 'look')) === 404)
    describeCounter()
    await until('it is read', async () => (await answerTo(gateway, 'look')) === 0)
  })
})

describe('metadata files that change while the gateway starts', () => {
  it('are read again', async () => {
    let isFirst = true
    const writing: CustomRoutes = async () => {
      if (isFirst) describeCounter(['add'])
      isFirst = false
    }
    const watch = { GATEWAY_RELOAD: 'watch', GATEWAY_RELOAD_INTERVAL_MS: '20', GATEWAY_RELOAD_BREAKING: 'allow' }
    const gateway = await start(watch, { routes: [writing] })
    await until('it is read', async () => (await answerTo(gateway, 'look')) === 404)
  })
})

describe('many swaps under load', () => {
  it('answer every call, and leave no listener, timer or handle behind', async () => {
    const plugins = { opened: 0, closed: 0 }
    const counting: CustomRoutes = async (app) => {
      plugins.opened++
      app.addHook('onClose', async () => void plugins.closed++)
    }
    const gateway = await startShop({}, {}, { routes: [counting] })
    await post(gateway, '/user', { username: 'alice' })
    const statuses = new Set<number>()
    let isLoaded = true
    const load = async () => {
      while (isLoaded) statuses.add((await post(gateway, '/user/alice/update_balance', { x: 1 })).status)
    }
    const swap = async (round: number) => {
      folder.write('overrides.json', { 'User.update_balance': { deadlineMs: 1_000 + round } })
      expect(await gateway.reload()).toMatchObject({ kind: 'swapped' })
    }
    const loads = [load(), load(), load()]
    await swap(0)
    const before = leftOver(gateway)
    for (let round = 1; round <= 50; round++) await swap(round)
    isLoaded = false
    await Promise.all(loads)
    await until('the old ones have ended', () => plugins.closed === plugins.opened - 1)
    const after = leftOver(gateway)
    expect([...statuses]).toEqual([204])
    expect(plugins.opened).toBe(52)
    expect(after.listeners).toEqual(before.listeners)
    expect(after.timers).toBeLessThanOrEqual(before.timers)
  })
})

/** What grows where something is not let go of. Timers that don't hold the process are not shown; the soak test looks at memory. */
function leftOver({ server }: RunningGateway) {
  const events = ['request', 'connection', 'clientError', 'close', 'error']
  return {
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
    listeners: [
      ...events.map((name) => `${name} ${server.listenerCount(name)}`),
      ...process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`),
    ],
  }
}
