import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import { type InvocationStore, StoreUnavailable } from '../../../src/routes/invocation-store.ts'
import { until } from '../../helpers/until.ts'
import { answered, ask, build, heldBack, late, location } from './kept.ts'

describe('Prefer over HTTP', () => {
  it('answers 202 with respond-async, once the call was sent', async () => {
    const app = build()
    const { answer, accept } = heldBack()
    app.answer(answer)
    const waiting = ask(app, { prefer: 'respond-async' })
    await until('the call is made', () => app.invocations.length === 1)
    expect(await Promise.race([waiting, late()])).toBe('late')
    accept()
    const response = await waiting
    const id = app.invocations[0]?.id
    expect(response.statusCode).toBe(202)
    expect(response.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      location: `/-/invocations/${id}`,
      'retry-after': '1',
      'preference-applied': 'respond-async',
      vary: 'Prefer',
    })
    expect(response.json()).toEqual({
      ...{ id, state: 'running', entity: 'Account', key: 'a', operation: 'add' },
      submittedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      ...{ result: `/-/invocations/${id}/result`, events: `/-/invocations/${id}/events` },
    })
  })

  it('answers 504 when nobody can say that a call for which 202 was wanted was sent', async () => {
    const app = build({ overrides: { 'Account.add': { deadlineMs: 30 } } })
    app.answer(heldBack().answer)
    const response = await ask(app, { prefer: 'respond-async' })
    expect(response.statusCode).toBe(504)
    expect(response.json()).toMatchObject({ outcome: 'unknown', retry: 'same_key' })
    expect(location(response)).toBe(`/-/invocations/${app.invocations[0]?.id}`)
  })

  it.each([['respond-async, wait=1'], [['wait=1', 'respond-async']], [['respond-async', 'wait=1, foo']]])(
    'waits as long as asked before 202: %j',
    async (prefer) => {
      const app = build()
      app.answer(async () => answered(3))
      const quick = await ask(app, { prefer })
      expect(quick.statusCode).toBe(200)
      expect(quick.headers['preference-applied']).toBe('wait=1')
      app.answer(heldBack({ accepted: true }).answer)
      const asking = ask(app, { prefer })
      expect(await Promise.race([asking, late()])).toBe('late')
      const slow = await asking
      expect(slow.statusCode).toBe(202)
      expect(slow.headers['preference-applied']).toBe('respond-async, wait=1')
    },
  )

  it('does not wait at all with respond-async, wait=0', async () => {
    const app = build()
    app.answer(heldBack({ accepted: true }).answer)
    expect((await ask(app, { prefer: 'respond-async, wait=0' })).statusCode).toBe(202)
  })

  it('gives the call the time to be sent, however short the caller would wait', async () => {
    const app = build()
    const { answer, accept } = heldBack()
    app.answer(answer)
    const asking = ask(app, { prefer: 'respond-async, wait=0' })
    await until('the call is made', () => app.invocations.length === 1)
    expect(await Promise.race([asking, late()])).toBe('late')
    accept()
    expect((await asking).statusCode).toBe(202)
  })

  it('says 504 of a call that the runtime has, where the operator does not say 202, or no store keeps it', async () => {
    const plain = build()
    const open = () => Promise.reject(new StoreUnavailable('away'))
    const store = { ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }), open }
    const alone = build({ store, overrides: { 'Account.add': { acceptLate: true } } })
    for (const [app, hasPlace] of [
      [plain, true],
      [alone, false],
    ] as const) {
      app.answer(async (invocation) => {
        invocation.onAccepted?.()
        return { kind: 'unknown', cause: 'deadline', detail: 'No answer came.' }
      })
      const response = await ask(app)
      expect([response.statusCode, location(response) !== undefined]).toEqual([504, hasPlace])
    }
  })

  it('lets a call that is kept go on when its caller waits no longer', async () => {
    const app = build()
    app.answer(async ({ deadline }) => answered(deadline - Date.now()))
    for (const asking of [{ key: 'k', prefer: 'wait=1' }, { prefer: 'respond-async, wait=1' }]) {
      expect((await ask(app, asking)).json()).toBeGreaterThan(50_000)
    }
  })

  it('lets a call lie in the runtime’s queue whose caller does not wait, and no other', async () => {
    const app = build()
    app.answer(answered(1))
    for (const asking of [
      { prefer: 'respond-async' },
      { prefer: 'respond-async, wait=1', key: 'k' },
      { key: 'l' },
      {},
    ]) {
      await ask(app, asking)
    }
    expect(app.invocations.map(({ patience }) => patience)).toEqual(['detached', 'detached', undefined, undefined])
  })

  it('gives a call that is waited for no longer than the caller says', async () => {
    const app = build()
    app.answer(async ({ deadline }) => answered(deadline - Date.now()))
    const [short, zero, capped] = [
      await ask(app, { prefer: 'wait=2' }),
      await ask(app, { prefer: 'wait=0' }),
      await ask(app, { prefer: 'wait=999999999' }),
    ]
    expect(short.json()).toBeLessThanOrEqual(2_000)
    expect(zero.json()).toBeLessThanOrEqual(1)
    expect(capped.json()).toBeLessThanOrEqual(60_000)
    expect(capped.headers['preference-applied']).toBe('wait=60')
  })

  it.each([
    ['wait=1', 1_000, 'wait=1'],
    ['wait=2', 1_500, 'wait=1'],
  ])('tells whole seconds, and no more than a cap of 1.5 s: %s', async (prefer, waitMs, applied) => {
    const app = build({ maxWaitMs: 1_500 })
    app.answer(async ({ deadline }) => answered(deadline - Date.now()))
    const response = await ask(app, { prefer })
    expect(response.json()).toBeLessThanOrEqual(waitMs)
    expect(response.json()).toBeGreaterThan(waitMs - 450)
    expect(response.headers['preference-applied']).toBe(applied)
  })

  it('gives a call the time that its method has, also beyond what a caller may ask for', async () => {
    const app = build({ maxWaitMs: 1_500, overrides: { 'Account.add': { deadlineMs: 5_000 } } })
    app.answer(async ({ deadline }) => answered(deadline - Date.now()))
    expect((await ask(app)).json()).toBeGreaterThan(4_500)
    expect((await ask(app, { prefer: 'wait=4' })).json()).toBeLessThanOrEqual(1_500)
  })

  it('says for how long a call was waited for that has failed, too', async () => {
    const app = build()
    for (const [outcome, status] of [
      [{ kind: 'unknown', cause: 'deadline', detail: 'late' }, 504],
      [{ kind: 'raised', message: 'no' }, 422],
    ] as const) {
      app.answer(outcome)
      const response = await ask(app, { prefer: 'wait=100, handling=strict' })
      expect([response.statusCode, response.headers['preference-applied'], response.headers.vary]).toEqual([
        ...[status, 'wait=60, handling=strict', 'Prefer'],
      ])
    }
  })

  it('passes over unknown preferences, and refuses them to a strict caller before anything is sent', async () => {
    const app = build()
    app.answer(answered(1))
    const lenient = await ask(app, { prefer: 'priority=5, wait=soon' })
    expect(lenient.statusCode).toBe(200)
    expect(lenient.headers['preference-applied']).toBeUndefined()
    const sent = app.invocations.length
    const strict = await ask(app, { prefer: ['handling=strict', 'priority=5'] })
    expect(strict.statusCode).toBe(400)
    expect(strict.json()).toMatchObject({ code: 'unknown_preference', outcome: 'not_sent' })
    expect(strict.json().detail).toContain('priority=5')
    expect(app.invocations).toHaveLength(sent)
    const known = await ask(app, { prefer: 'handling=strict, wait=1' })
    expect(known.headers['preference-applied']).toBe('wait=1, handling=strict')
  })

  it('leaves the body out with return=minimal, but never a new key or a problem', async () => {
    const app = build()
    app.answer(answered(1))
    const value = await ask(app, { prefer: 'return=minimal' })
    expect([value.statusCode, value.body, value.headers['content-type']]).toEqual([204, '', undefined])
    expect(value.headers['preference-applied']).toBe('return=minimal')
    app.answer(answered(null))
    const nothing = await ask(app, { url: '/account/a/clear', payload: '{}', prefer: 'return=minimal' })
    expect([nothing.statusCode, nothing.headers['preference-applied']]).toEqual([204, 'return=minimal'])
    app.answer({ kind: 'created', key: 'b' })
    const created = await ask(app, { url: '/account', payload: '{"id":"b"}', prefer: 'return=minimal' })
    expect([created.statusCode, created.body, created.headers.location]).toEqual([201, '{"key":"b"}', '/account/b'])
    app.answer({ kind: 'raised', message: 'no' })
    const problem = await ask(app, { prefer: 'return=minimal' })
    expect([problem.statusCode, problem.json().detail]).toEqual([422, 'no'])
  })

  it('never answers a read with 202', async () => {
    const app = build()
    app.answer(async ({ onAccepted }) => {
      onAccepted?.()
      await late()
      return answered(5)
    })
    for (const method of ['GET', 'HEAD'] as const) {
      for (const [prefer, applied] of [
        ['respond-async', undefined],
        ['respond-async, wait=9', 'wait=9'],
      ] as const) {
        const read = await app.app.inject({ method, url: '/account/a/balance', headers: { prefer } })
        expect([read.statusCode, read.headers['preference-applied']]).toEqual([200, applied])
        expect(read.headers.vary).toBe('Prefer')
      }
    }
  })

  it('never leaves out what a read is for', async () => {
    const app = build()
    app.answer(answered(5))
    const read = await app.app.inject({ url: '/account/a/balance', headers: { prefer: 'return=minimal' } })
    expect([read.statusCode, read.body, read.headers['preference-applied']]).toEqual([200, '5', undefined])
  })

  it('passes the caller’s trace on with a call that is kept, too', async () => {
    const app = build()
    app.answer(answered(5))
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    for (const asking of [{ key: 'k' }, { prefer: 'respond-async' }]) {
      await ask(app, { ...asking, headers: { traceparent } })
      expect(app.invocations.at(-1)?.context).toEqual({ traceparent })
    }
  })

  it('answers 500 at once when the call of a runtime fails by a bug', async () => {
    const app = build()
    app.answer(() => Promise.reject(new Error('a bug')))
    for (const asking of [{}, { key: 'k' }, { prefer: 'respond-async' }]) {
      expect((await ask(app, asking)).statusCode).toBe(500)
    }
  })

  it('says Vary: Prefer to who prefers nothing, too', async () => {
    const app = build()
    app.answer(answered(5))
    expect((await ask(app)).headers).toMatchObject({ vary: 'Prefer' })
  })
})

describe('a call past its deadline', () => {
  it('answers 504 with a Location, where the late answer can be collected', async () => {
    const app = build()
    app.answer({ kind: 'unknown', cause: 'deadline', detail: 'Silence.' })
    const response = await ask(app)
    expect(response.statusCode).toBe(504)
    expect(response.json()).toMatchObject({ code: 'deadline_exceeded', outcome: 'unknown' })
    expect(response.json().hint).toContain(location(response))
    expect((await app.app.inject(`${location(response)}/result`)).statusCode).toBe(202)
    await app.store.finish(app.invocations[0]?.id ?? '', { status: 200, headers: {}, body: '7' })
    const collected = await app.app.inject(`${location(response)}/result`)
    expect([collected.statusCode, collected.body]).toEqual([200, '7'])
  })

  it('shows the late answer to its caller, and to nobody else', async () => {
    const app = build({ principalOf: ({ headers }) => String(headers['x-caller'] ?? '') })
    app.answer({ kind: 'unknown', cause: 'deadline', detail: 'Silence.' })
    const url = `${location(await ask(app, { headers: { 'x-caller': 'p' } }))}`
    for (const [caller, status] of [
      ['p', 200],
      ['q', 404],
      ['', 404],
    ] as const) {
      expect((await app.app.inject({ url, headers: { 'x-caller': caller } })).statusCode).toBe(status)
    }
  })

  it('answers 202 instead where the operator says so, for calls that were sent', async () => {
    const app = build({ overrides: { 'Account.add': { acceptLate: true, deadlineMs: 30 } } })
    const silence = { kind: 'unknown', cause: 'deadline', detail: 'Silence.' } as const
    for (const extra of [{ key: undefined }, { key: 'k' }]) {
      app.answer(async (invocation) => {
        invocation.onAccepted?.()
        return extra.key === undefined ? silence : heldBack().answer(invocation)
      })
      const accepted = await ask(app, extra.key === undefined ? {} : { key: extra.key })
      expect([accepted.statusCode, location(accepted)]).toEqual([202, `/-/invocations/${app.invocations.at(-1)?.id}`])
    }
    for (const extra of [{}, { key: 'l' }]) {
      app.answer(async () => silence)
      expect((await ask(app, extra)).statusCode).toBe(504)
    }
  })

  it('answers 202 to a GET too, whatever its caller has already', async () => {
    const app = build({ overrides: { 'Account.add': { safe: true, acceptLate: true, deadlineMs: 30 } } })
    app.answer(async ({ onAccepted }) => {
      onAccepted?.()
      return { kind: 'unknown', cause: 'deadline', detail: 'Silence.' }
    })
    const accepted = await app.app.inject({ url: '/account/a/add?x=1', headers: { 'if-none-match': '*' } })
    expect([accepted.statusCode, accepted.headers.etag]).toEqual([202, undefined])
    expect(location(accepted)).toBe(`/-/invocations/${app.invocations[0]?.id}`)
  })

  it('promises no answer where the runtime will never say more', async () => {
    const app = build()
    app.answer({ kind: 'unknown', cause: 'connection-lost', detail: 'The disk failed.', isFinal: true })
    const response = await ask(app)
    expect([response.statusCode, response.json().code, location(response)]).toEqual([504, 'connection_lost', undefined])
  })

  it('keeps nothing of a read: it is asked again', async () => {
    const app = build({ overrides: { 'Account.add': { safe: true } } })
    app.answer({ kind: 'unknown', cause: 'deadline', detail: 'Silence.' })
    const reads = [await app.app.inject('/account/a'), await app.app.inject('/account/a/balance'), await ask(app)]
    for (const read of reads) {
      expect([read.statusCode, read.json().retry, location(read)]).toEqual([504, 'safe', undefined])
      expect((await app.app.inject(`/-/invocations/${read.json().invocationId}`)).statusCode).toBe(404)
    }
  })

  it('is said to be queued until the runtime has it, and running then', async () => {
    const app = build()
    const silence = { kind: 'unknown', cause: 'deadline', detail: 'Silence.' } as const
    for (const state of ['queued', 'running']) {
      app.answer(async (invocation) => {
        if (state === 'running') invocation.onAccepted?.()
        return silence
      })
      expect((await app.app.inject(`${location(await ask(app))}`)).json()).toMatchObject({ state })
    }
  })

  it('promises nothing that ends with the process', async () => {
    const app = build()
    app.answer({ kind: 'unknown', cause: 'shutting-down', detail: 'Bye.' })
    for (const extra of [{}, { key: 'k' }]) {
      const response = await ask(app, extra)
      expect([response.statusCode, response.json().code]).toEqual([504, 'answer_abandoned'])
      expect(location(response)).toBeUndefined()
    }
  })

  it('promises it where other replicas take over', async () => {
    const app = build({ store: { ...memory(), isShared: true } })
    app.answer({ kind: 'unknown', cause: 'shutting-down', detail: 'Bye.' })
    for (const extra of [{}, { key: 'k' }]) {
      const response = await ask(app, extra)
      expect(location(response)).toBe(`/-/invocations/${app.invocations.at(-1)?.id}`)
    }
  })
})

describe('a store that is away', () => {
  const away = async (): Promise<never> => {
    throw new StoreUnavailable('The store is away.')
  }

  it('refuses calls that need it, unsent; the others go on', async () => {
    const app = build({ store: { ...memory(), open: away, read: away } })
    app.answer(answered(1))
    for (const extra of [{ key: 'k' }, { prefer: 'respond-async' }, { prefer: 'respond-async, wait=1' }]) {
      const response = await ask(app, extra)
      expect(response.statusCode).toBe(503)
      expect(response.headers['retry-after']).toBe('1')
      expect(response.json()).toMatchObject({ code: 'store_unavailable', outcome: 'not_sent', retry: 'after' })
    }
    expect(app.invocations).toEqual([])
    expect((await ask(app)).statusCode).toBe(200)
    for (const path of ['', '/result', '/events']) {
      const response = await app.app.inject(`/-/invocations/${randomUUID()}${path}`)
      expect([response.statusCode, response.json().code]).toEqual([503, 'store_unavailable'])
    }
  })

  it('makes a 504 without Location', async () => {
    const app = build({ store: { ...memory(), open: away } })
    app.answer({ kind: 'unknown', cause: 'deadline', detail: 'Silence.' })
    const response = await ask(app)
    expect([response.statusCode, location(response)]).toEqual([504, undefined])
  })

  it('changes nothing about an answer that is there, when it goes away after the call was sent', async () => {
    const app = build({ store: { ...memory(), finish: away, release: away } })
    app.answer(answered(1))
    expect((await ask(app, { key: 'k' })).statusCode).toBe(200)
    app.answer({ kind: 'not-sent', cause: 'overloaded', detail: 'Full.' })
    const refused = await ask(app, { key: 'l' })
    expect([refused.statusCode, refused.json().outcome]).toEqual([503, 'not_sent'])
  })

  it('leaves who joined a call without its answer, not without a word', async () => {
    const store = memory()
    const app = build({ store: { ...store, waitFor: away } })
    app.answer(heldBack().answer)
    void ask(app, { key: 'k' })
    await late()
    const joined = await ask(app, { key: 'k' })
    expect([joined.statusCode, joined.json().outcome]).toEqual([504, 'unknown'])
    const status = await app.app.inject({ url: `${location(joined)}`, headers: { prefer: 'wait=5' } })
    expect(status.json()).toMatchObject({ state: 'queued' })
  })

  it('leaves who joined a call without a word on how far it is', async () => {
    const store = memory()
    const app = build({ store: { ...store, waitFor: away, waitForAcceptance: away, read: away } })
    app.answer(heldBack().answer)
    void ask(app, { key: 'k' })
    await until('the call is made', () => app.invocations.length === 1)
    for (const prefer of [undefined, 'respond-async']) {
      const joined = await ask(app, { key: 'k', prefer })
      expect([joined.statusCode, joined.json().outcome]).toEqual([504, 'unknown'])
    }
  })

  it('gives the answer to who joined a call when it is back at the end of his wait', async () => {
    const store = memory()
    const { answer, settle } = heldBack()
    const waitFor = async (): Promise<never> => {
      settle(answered(5))
      await late()
      throw new StoreUnavailable('The store was away.')
    }
    const app = build({ store: { ...store, waitFor } })
    app.answer(answer)
    void ask(app, { key: 'k' })
    await until('the call is made', () => app.invocations.length === 1)
    const joined = await ask(app, { key: 'k' })
    expect([joined.statusCode, joined.body, joined.headers['idempotency-replayed']]).toEqual([200, '5', 'true'])
  })
})

function memory(): InvocationStore {
  return createMemoryStore({ retentionMs: 60_000, maxRecords: 1_000 })
}
