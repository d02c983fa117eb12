import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import type { CustomRoutes } from '../../../src/gateway/custom-routes.ts'
import type { GatewayOptions } from '../../../src/gateway/gateway.ts'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import type { InvocationStore } from '../../../src/routes/invocation-store.ts'
import { openBatch } from '../../helpers/batch-client.ts'
import { type CounterFunction, counterMetadata, startCounterFunction } from '../../helpers/counter-function.ts'
import { freePorts } from '../../helpers/free-ports.ts'
import { type RunningGateway, startGateway } from '../../helpers/running-gateway.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'
import { until } from '../../helpers/until.ts'

let folder: TemporaryFolder
let counter: CounterFunction

beforeEach(async () => {
  folder = createTemporaryFolder()
  counter = await startCounterFunction()
})
afterEach(async () => {
  counter.release()
  await counter.close()
  folder.close()
})

function start(env: Readonly<Record<string, string>> = {}, options: Omit<GatewayOptions, 'config'> = {}) {
  const metadata = folder.write('counter.json', counterMetadata(counter.url))
  return startGateway({ GATEWAY_METADATA: metadata, GATEWAY_RUNTIME: 'statefun-endpoint', ...env }, options)
}

function add(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
  return fetch(`${url}/counter/a/add`, { ...init, body: '{}' })
}

/** With a store of the test's. */
function startOver(store: InvocationStore, replica: string, env: Readonly<Record<string, string>> = {}) {
  const { config } = readConfig({ env: {}, argv: [] })
  return start(env, {
    worker: {
      ...{ number: 1, config, space: { replica, store, kin: { has: () => true, heldElsewhere: [] } } },
      showMetrics: (own) => async () => own.text(),
      showChecks: (own) => own,
      ...{ onStop() {}, async serving() {}, async failed() {} },
    },
  })
}

/** A call that has come to the function, and waits there. */
async function callUnderWay(gateway: RunningGateway, headers = {}): Promise<readonly Promise<Response>[]> {
  counter.hold()
  const answers = [add(gateway.url, headers)]
  const pending = () => gateway.runtimes.adapters.get('statefun-endpoint')?.counters().pending
  await until('it is under way', () => pending() === 1)
  return answers
}

async function metricsOf({ url }: RunningGateway): Promise<string> {
  return (await fetch(`${url}/-/metrics`)).text()
}

describe('a gateway that is closed', () => {
  it('tells who still waits at the end of its grace that nobody knows', async () => {
    const gateway = await start({ GATEWAY_SHUTDOWN_GRACE_MS: '900' })
    const [answer] = await callUnderWay(gateway)
    const closed = gateway.close()
    const response = await answer
    const told = [response?.status, await response?.json()]
    expect(told).toMatchObject([504, { code: 'answer_abandoned', outcome: 'unknown' }])
    counter.release()
    await closed
  })

  it('tells that also who has joined the call of another replica', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const other = await startOver({ ...memory, close: async () => undefined }, 'aaaaaa')
    const waitFor = vi.fn<InvocationStore['waitFor']>(memory.waitFor)
    const gateway = await startOver({ ...memory, waitFor }, 'bbbbbb', { GATEWAY_SHUTDOWN_GRACE_MS: '900' })
    const headers = { 'idempotency-key': 'one' }
    const [first] = await callUnderWay(other, headers)
    const joined = add(gateway.url, headers)
    await until('it is joined', () => waitFor.mock.calls.length === 1)
    const closed = gateway.close()
    const response = await joined
    const told = [response.status, await response.json()]
    expect(told).toMatchObject([504, { code: 'answer_abandoned', outcome: 'unknown' }])
    counter.release()
    expect((await first)?.status).toBe(200)
    await Promise.all([closed, other.close()])
  })

  it('keeps what its callers were told before its store closes', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const done: string[] = []
    const slow: InvocationStore = {
      ...memory,
      async finish(...answer) {
        await setTimeout(1_500)
        done.push('kept')
        return memory.finish(...answer)
      },
      async close() {
        done.push('closed')
        return memory.close()
      },
    }
    const gateway = await startOver(slow, 'aaaaaa')
    expect((await add(gateway.url, { 'idempotency-key': 'one' })).status).toBe(200)
    await gateway.close()
    expect(done).toEqual(['kept', 'closed'])
  })

  it('answers a request that comes on an idle connection a moment later', async () => {
    const gateway = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const statusOf = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const outgoing = get(`${gateway.url}/-/livez`, { agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode))
        })
        outgoing.on('error', reject)
      })
    expect(await statusOf()).toBe(200)
    const closed = gateway.close()
    expect(await statusOf()).toBe(503)
    await closed
    agent.destroy()
  })

  it('refuses at once the lines of a batch that wait for their turn', async () => {
    const gateway = await start({ GATEWAY_MAX_IN_FLIGHT_PER_ENTITY: '1' })
    const [answer] = await callUnderWay(gateway)
    const batch = await openBatch(gateway.url)
    batch.send({ id: 1, entity: 'counter', key: 'b', method: 'add' })
    await until('it waits', async () => (await metricsOf(gateway)).includes('gateway_calls_queued 1'))
    const closed = gateway.close()
    expect(await batch.next()).toMatchObject({ id: 1, status: 503, problem: { code: 'shutting_down' } })
    counter.release()
    expect((await answer)?.status).toBe(200)
    await closed
  })

  it('waits for a reload that is under way, which fails', async () => {
    const order: string[] = []
    const registered = [async () => undefined, () => setTimeout(700)]
    const slow: CustomRoutes = async () => {
      await registered.shift()?.()
    }
    const gateway = await start({}, { routes: [slow] })
    folder.write('counter.json', counterMetadata(counter.url, ['add', 'look'], { description: 'It counts.' }))
    const reloaded = gateway.reload().then((result) => {
      order.push('read')
      return result
    })
    await until('it is under way', () => registered.length === 0)
    await gateway.close()
    order.push('closed')
    expect(await reloaded).toMatchObject({ kind: 'failed', error: { message: 'The gateway is stopping.' } })
    expect(order).toEqual(['read', 'closed'])
  })

  it('cuts off at the end of its grace who is never answered', async () => {
    const coming = Promise.withResolvers<void>()
    const never: CustomRoutes = async (app) => {
      app.get('/never', () => {
        coming.resolve()
        return new Promise(() => undefined)
      })
    }
    const gateway = await start({ GATEWAY_SHUTDOWN_GRACE_MS: '400' }, { routes: [never] })
    const cut = new Promise((resolve) => get(`${gateway.url}/never`).on('error', resolve))
    await coming.promise
    await gateway.close()
    expect(await cut).toMatchObject({ code: 'ECONNRESET' })
  })

  it('leaves no timer of its grace behind', async () => {
    const gateway = await start()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await gateway.close()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('says on its management port that it stops, and takes no connection there once it has', async () => {
    const [port = 0] = await freePorts(1)
    const gateway = await start({ MANAGEMENT_PORT: String(port) })
    const [answer] = await callUnderWay(gateway)
    const silent = connect(port, '127.0.0.1').resume()
    await once(silent, 'connect')
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/-/readyz?verbose`)).text()
    expect(await ready()).not.toContain('It is stopping.')
    const closed = gateway.close()
    await until('it is stopping', () => !gateway.server.listening)
    expect(await ready()).toContain('It is stopping.')
    counter.release()
    expect(await (await answer)?.json()).toBe(1)
    await closed
    await expect(ready()).rejects.toThrow('fetch failed')
  })

  it('closes its store also where a runtime can’t be closed, and tells that', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const order: string[] = []
    const leave: InvocationStore['leave'] = async (name) => {
      order.push('left')
      return memory.leave(name)
    }
    const close: InvocationStore['close'] = async () => {
      order.push('closed')
      return memory.close()
    }
    const gateway = await startOver({ ...memory, leave, close }, 'aaaaaa', { GATEWAY_SHUTDOWN_GRACE_MS: '900' })
    const [answer] = await callUnderWay(gateway)
    for (const adapter of gateway.runtimes.adapters.values()) {
      const { close: end } = adapter
      vi.spyOn(adapter, 'close').mockImplementation(async () => {
        await end()
        throw new Error('It is stuck.')
      })
    }
    const closed = expect(gateway.close()).rejects.toThrow('It is stuck.')
    // Its runtimes are closed a first time while he waits.
    expect((await answer)?.status).toBe(504)
    counter.release()
    await closed
    expect(order).toEqual(['left', 'closed'])
  })

  it('closes its runtimes also where what a custom route has opened can’t be closed, and tells that', async () => {
    const failing: CustomRoutes = async (app) => {
      app.addHook('onClose', async () => {
        throw new Error('It is stuck.')
      })
    }
    const gateway = await start({}, { routes: [failing] })
    expect((await add(gateway.url)).status).toBe(200)
    await expect(gateway.close()).rejects.toThrow('It is stuck.')
    const [check] = await gateway.runtimes.checks()
    expect(check).toMatchObject({ ok: false })
  })
})
