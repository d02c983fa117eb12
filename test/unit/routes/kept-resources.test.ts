import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import type { InvocationStore } from '../../../src/routes/invocation-store.ts'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import { until } from '../../helpers/until.ts'
import { answered, ask, build, heldBack, late } from './kept.ts'

const apps: ReturnType<typeof build>[] = []

function open(changes: Parameters<typeof build>[0] = {}): ReturnType<typeof build> {
  const app = build(changes)
  apps.push(app)
  return app
}

afterEach(async () => {
  vi.useRealTimers()
  for (const { app, store } of apps.splice(0)) {
    await store.close()
    await app.close()
  }
})

/** The reads that wait for the end of a call, over connections that can be cut. */
async function waitingReads({ app }: ReturnType<typeof build>, place: string) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  const begin = (path: string, headers: Readonly<Record<string, string>>) => () => {
    const asking = request({ port, path, headers })
    asking.on('error', () => undefined)
    return asking.end()
  }
  return [begin(`${place}/events`, {}), begin(place, { prefer: 'wait=30' })]
}

/** A call that was answered with 202 and is still running. */
async function running(changes: Parameters<typeof build>[0] = {}) {
  const app = open(changes)
  const { answer, settle } = heldBack({ accepted: true })
  app.answer(answer)
  const response = await ask(app, { prefer: 'respond-async', headers: { 'x-caller': 'p' } })
  const place = String(response.headers.location)
  const get = (path = '', headers: Record<string, string> = {}) => app.app.inject({ url: `${place}${path}`, headers })
  const end = async (outcome: Outcome): Promise<void> => {
    settle(outcome)
    await until('it has ended', async () => (await get()).json().state !== 'running')
  }
  return { app, place, get, settle, end }
}

describe('an invocation’s status and result', () => {
  it('is running, then succeeded, with the original answer', async () => {
    const { get, end } = await running()
    const before = await get()
    expect([before.statusCode, before.json().state, before.headers['retry-after']]).toEqual([200, 'running', '1'])
    const pending = await get('/result')
    expect([pending.statusCode, pending.json().state, pending.headers['retry-after']]).toEqual([202, 'running', '1'])
    await end(answered(12))
    const after = await get()
    expect(after.json()).toMatchObject({ state: 'succeeded', status: 200 })
    expect(after.headers['retry-after']).toBeUndefined()
    const result = await get('/result')
    expect([result.statusCode, result.body, result.headers['content-type']]).toEqual([
      200,
      '12',
      'application/json; charset=utf-8',
    ])
  })

  it('gives a problem as it would have been answered', async () => {
    const { get, end, place } = await running()
    await end({ kind: 'raised', name: 'ValueError', message: 'no' })
    expect((await get()).json()).toMatchObject({ state: 'failed', status: 422 })
    const result = await get('/result')
    expect([result.statusCode, result.headers['content-type']]).toEqual([422, 'application/problem+json'])
    expect(result.json()).toMatchObject({ code: 'method_raised', invocationId: place.split('/').at(-1) })
  })

  it('gives 204 where nothing is returned', async () => {
    const app = open()
    const { answer, settle } = heldBack({ accepted: true })
    app.answer(answer)
    const response = await ask(app, { url: '/account/a/clear', payload: '{}', prefer: 'respond-async' })
    settle(answered(null))
    const place = String(response.headers.location)
    await until('it has ended', async () => (await app.app.inject(place)).json().state === 'succeeded')
    const result = await app.app.inject(`${place}/result`)
    expect([result.statusCode, result.body]).toEqual([204, ''])
    const events = await app.app.inject({ url: `${place}/events`, headers: { 'last-event-id': '1' } })
    expect(events.body).toContain('data: {"state":"succeeded","status":204,"body":null}\n')
  })

  it('names what was asked where that is no method', async () => {
    const app = open()
    app.answer(heldBack({ accepted: true }).answer)
    const status = (await ask(app, { url: '/account', payload: '{"id":"b"}', prefer: 'respond-async' })).json()
    expect([status.operation, 'key' in status]).toEqual(['create', false])
  })

  it('tells where a new entity is', async () => {
    const app = open()
    const { answer, settle } = heldBack({ accepted: true })
    app.answer(answer)
    const { headers } = await ask(app, { url: '/account', payload: '{"id":"b"}', prefer: 'respond-async' })
    settle({ kind: 'created', key: 'b' })
    const result = await app.app.inject({ url: `${headers.location}/result`, headers: { prefer: 'wait=20' } })
    expect([result.statusCode, result.headers.location]).toEqual([201, '/account/b'])
  })

  it('tells at the end of a wait how far the call has got meanwhile', async () => {
    const app = open()
    const { answer, accept } = heldBack()
    app.answer(answer)
    void ask(app, { key: 'k' })
    await until('the call is made', () => app.invocations.length === 1)
    const url = `/-/invocations/${app.invocations[0]?.id}`
    const waiting = app.app.inject({ url, headers: { prefer: 'wait=3' } })
    expect(await Promise.race([waiting, late()])).toBe('late')
    expect((await app.app.inject(url)).json()).toMatchObject({ state: 'queued' })
    accept()
    expect((await waiting).json()).toMatchObject({ state: 'running' })
  })

  it('holds nothing back once this replica stops: it says how far the call is', async () => {
    const { app, get } = await running()
    const waiting = get('', { prefer: 'wait=20' })
    expect(await Promise.race([waiting, late()])).toBe('late')
    const began = Date.now()
    await app.app.close()
    expect((await waiting).json()).toMatchObject({ state: 'running' })
    expect(Date.now() - began).toBeLessThan(5_000)
  })

  it.each(['x', '..%2f..', `${'a'.repeat(8)}-*`, '00000000-0000-4000-8000-00000000000Z'])(
    'is not asked of the store by what is no id: %s',
    async (id) => {
      const read = vi.fn<InvocationStore['read']>(async () => undefined)
      const app = open({ store: { ...createMemoryStore({ retentionMs: 1_000, maxRecords: 1 }), read } })
      const response = await app.app.inject(`/-/invocations/${id}`)
      expect([response.statusCode, read.mock.calls.length]).toEqual([404, 0])
    },
  )

  it('holds the answer back until the end with Prefer: wait=N', async () => {
    const { get, settle } = await running()
    for (const path of ['', '/result']) {
      const now = await get(path, { prefer: 'wait=0' })
      expect(now.json()).toMatchObject({ state: 'running' })
    }
    const waiting = [get('', { prefer: 'wait=20' }), get('/result', { prefer: 'wait=20' })]
    await late()
    settle(answered(3))
    const [status, result] = await Promise.all(waiting)
    expect([status?.json().state, result?.body]).toEqual(['succeeded', '3'])
  })

  it('refuses what it does not know to a strict caller, and tells what it has heeded', async () => {
    const { get, settle } = await running({ maxWaitMs: 1_500 })
    for (const path of ['', '/result', '/events']) {
      const refused = await get(path, { prefer: 'handling=strict, foo' })
      expect([refused.statusCode, refused.json().code]).toEqual([400, 'unknown_preference'])
    }
    const heeded = await get('', { prefer: 'wait=0, foo' })
    expect(heeded.headers).toMatchObject({ 'preference-applied': 'wait=0', vary: 'Prefer' })
    settle(answered(3))
    const capped = await get('', { prefer: 'wait=2' })
    expect(capped.headers['preference-applied']).toBe('wait=1')
  })

  it('has expired when nothing came in its lifetime', async () => {
    const { get, place } = await running({ lifetimeMs: 40 })
    await until('it has expired', async () => (await get()).json().state === 'expired')
    const result = await get('/result')
    expect([result.statusCode, result.json().code]).toEqual([504, 'deadline_exceeded'])
    expect(result.json()).toMatchObject({ outcome: 'unknown', invocationId: place.split('/').at(-1) })
  })

  it('is not waited for beyond its lifetime, nor once that is over', async () => {
    const { get } = await running({ lifetimeMs: 40 })
    const began = performance.now()
    expect((await get('', { prefer: 'wait=20' })).json()).toMatchObject({ state: 'expired' })
    expect((await get('', { prefer: 'wait=20' })).json()).toMatchObject({ state: 'expired' })
    expect((await get('/result', { prefer: 'wait=20' })).json()).toMatchObject({ code: 'deadline_exceeded' })
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('is 410 when its retention has passed, and 404 when it never was', async () => {
    let now = Date.now()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const store = createMemoryStore({ retentionMs: 1_000, maxRecords: 10, now: () => now })
    await store.start()
    const { get, settle, app } = await running({ store })
    settle(answered(1))
    await late()
    now += 1_001
    vi.advanceTimersByTime(1_000)
    for (const path of ['', '/result', '/events']) {
      const response = await get(path)
      expect([response.statusCode, response.json().code]).toEqual([410, 'invocation_gone'])
      const never = await app.app.inject(`/-/invocations/00000000-0000-4000-8000-000000000000${path}`)
      expect([never.statusCode, never.json().code]).toEqual([404, 'invocation_not_found'])
    }
  })

  it('is not there for anybody but its caller', async () => {
    const { get } = await running({ principalOf: ({ headers }) => String(headers['x-caller'] ?? '') })
    for (const path of ['', '/result', '/events']) {
      for (const caller of [{}, { 'x-caller': 'q' }]) {
        const response = await get(path, caller)
        expect([response.statusCode, response.json().code]).toEqual([404, 'invocation_not_found'])
      }
    }
    expect((await get('', { 'x-caller': 'p' })).statusCode).toBe(200)
  })
})

describe('an invocation’s events', () => {
  it('are its status at once and its result at the end', async () => {
    const { get, settle, place } = await running()
    const streaming = get('/events')
    await late()
    settle(answered(9))
    const { statusCode, headers, body } = await streaming
    expect(statusCode).toBe(200)
    expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    expect(headers).toMatchObject({ 'x-accel-buffering': 'no', connection: 'close' })
    const [status, result, ...rest] = body.split('\n\n')
    expect(status).toMatch(/^id: 1\nevent: status\ndata: \{.*"state":"running".*\}$/)
    expect(result).toBe('id: 2\nevent: result\ndata: {"state":"succeeded","status":200,"body":9}')
    expect(rest).toEqual([''])
    expect(body).toContain(place.split('/').at(-1))
  })

  it('go on after the last that was seen', async () => {
    const { get, end } = await running()
    await end({ kind: 'raised', message: 'no' })
    const second = await get('/events', { 'last-event-id': '1' })
    expect(second.body).toMatch(/^id: 2\nevent: result\ndata: \{"state":"failed","status":422,"body":\{.*\}\}\n\n$/)
    const nothing = await get('/events', { 'last-event-id': '2' })
    expect([nothing.statusCode, nothing.body]).toEqual([204, ''])
    const other = await get('/events', { 'last-event-id': 'of another stream' })
    expect(other.body).toMatch(/^id: 1\n.*\n.*\n\nid: 2\n/)
  })

  it('are not waited for by a mere look at their headers', async () => {
    const { app, place } = await running()
    const { statusCode, headers } = await app.app.inject({ method: 'HEAD', url: `${place}/events` })
    expect([statusCode, headers['content-type']]).toEqual([200, 'text/event-stream'])
  })

  it('have the headers that hooks set for every answer', async () => {
    const { get, settle } = await running({
      prepare: (fresh) => fresh.addHook('onRequest', async (_request, reply) => void reply.header('x-hook', 'set')),
    })
    settle(answered(1))
    expect((await get('/events')).headers).toMatchObject({ 'x-hook': 'set' })
  })

  it('end without a result when this replica stops', async () => {
    const { app, get } = await running()
    const streaming = get('/events')
    expect(await Promise.race([streaming, late()])).toBe('late')
    await app.app.close()
    const { body } = await streaming
    expect([body.includes('event: status'), body.includes('event: result')]).toEqual([true, false])
  })

  it('end with expired when nothing came in its lifetime', async () => {
    const { get } = await running({ lifetimeMs: 40 })
    const { body } = await get('/events', { 'last-event-id': '1' })
    expect(body).toContain('{"state":"expired","status":504,"body":null}')
  })

  it('end without a result when the store can’t say: the reader comes back', async () => {
    const store: InvocationStore = {
      ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }),
      waitFor: async () => {
        throw new Error('away')
      },
    }
    const { get } = await running({ store })
    expect((await get('/events')).body).not.toContain('event: result')
  })

  it('carry a heartbeat', async () => {
    const { app, place, settle } = await running()
    await app.app.listen({ port: 0, host: '127.0.0.1' })
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { port } = app.app.server.address() as AddressInfo
    let text = ''
    const asking = request({ port, path: `${place}/events` }, (response) => {
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
    })
    asking.end()
    await until('the first event is there', () => text.includes('event: status'))
    expect(text).not.toContain(': still running')
    vi.advanceTimersByTime(15_000)
    await until('a sign of life is there', () => text.includes(': still running\n\n'))
    settle(answered(1))
    await until('the result is there', () => text.includes('event: result'))
    expect(vi.getTimerCount()).toBe(0)
  })

  it('cost one socket’s buffer when the reader does not read: no heartbeat piles up', async () => {
    const { app, place, settle } = await running({
      prepare: (fresh) =>
        fresh.addHook('onRequest', async (_request, { raw }) => {
          Object.defineProperty(raw, 'writableNeedDrain', { value: true })
        }),
    })
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const streaming = app.app.inject(`${place}/events`)
    await until('it waits', () => vi.getTimerCount() === 1)
    vi.advanceTimersByTime(600_000)
    settle(answered(1))
    const { body } = await streaming
    expect(body).not.toContain(': still running')
    expect(body).toContain('event: result')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('leave nothing behind when the reader goes away', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const signals: (AbortSignal | undefined)[] = []
    const store: InvocationStore = {
      ...memory,
      waitFor(id, untilMs, signal) {
        signals.push(signal)
        return memory.waitFor(id, untilMs, signal)
      },
    }
    const { app, place } = await running({ store })
    for (const begin of await waitingReads(app, place)) {
      const asking = begin()
      await until('it waits', () => signals.length > 0)
      expect(signals[0]?.aborted).toBe(false)
      asking.destroy()
      await until('it has given up', () => signals[0]?.aborted === true)
      signals.length = 0
    }
  })

  it('are not begun for a reader who has gone while the store was asked', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const waitFor = vi.fn(memory.waitFor)
    const read = vi.fn(memory.read)
    let closed = 0
    const { app, place } = await running({
      store: { ...memory, read, waitFor },
      prepare: (fresh) =>
        fresh.addHook('onRequest', async (_request, { raw }) => void raw.once('close', () => closed++)),
    })
    for (const begin of await waitingReads(app, place)) {
      const { promise: isGone, resolve: answer } = Promise.withResolvers<void>()
      read.mockClear().mockImplementation(async (id) => {
        await isGone
        return memory.read(id)
      })
      closed = 0
      const asking = begin()
      await until('the store is asked', () => read.mock.calls.length > 0)
      asking.destroy()
      await until('he has gone', () => closed === 1)
      answer()
      await late()
      expect(waitFor).not.toHaveBeenCalled()
    }
  })
})
