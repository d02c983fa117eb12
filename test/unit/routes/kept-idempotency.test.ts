import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import type { InvocationStore } from '../../../src/routes/invocation-store.ts'
import { until } from '../../helpers/until.ts'
import { answered, ask, build, heldBack, late, location } from './kept.ts'

const notSent = { kind: 'not-sent', cause: 'broker-unavailable', detail: 'No broker.' } as const

describe('Idempotency-Key', () => {
  it('replays the answer, whatever else the retry says', async () => {
    const app = build()
    app.answer(answered(41))
    const first = await ask(app, { payload: '{"x":1,"more":{"a":1,"b":[2]}}', key: 'k' })
    app.answer(answered(99))
    const retries = [
      { payload: '{"x":1,"more":{"a":1,"b":[2]}}', key: '"k"' },
      { payload: ' { "more" : { "b":[ 2 ], "a":1 }, "x" : 1.0 }\n', key: 'k' },
      { payload: '{"x":1,"more":{"a":1,"b":[2]}}', key: ' k ', headers: { 'user-agent': 'other', traceparent: 'x' } },
    ]
    for (const retry of retries) {
      const response = await ask(app, retry)
      expect([response.statusCode, response.body]).toEqual([first.statusCode, first.body])
      const { date: _date, 'idempotency-replayed': replayed, ...headers } = response.headers
      expect(replayed).toBe('true')
      const { date: _first, ...firstHeaders } = first.headers
      expect(headers).toEqual(firstHeaders)
    }
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    expect(app.invocations).toHaveLength(1)
  })

  it.each([
    ['created', { kind: 'created', key: 'b' }, 201],
    ['raised', { kind: 'raised', message: 'no' }, 422],
    ['missing', { kind: 'rejected', reason: 'entity-not-found', detail: 'No.', effect: 'none' }, 404],
    ['unreadable', { kind: 'malformed', detail: 'Junk.' }, 502],
  ] as const)('replays an answer that was %s', async (what, outcome, status) => {
    const app = build()
    const asking = what === 'created' ? { url: '/account', payload: '{"id":"b"}', key: 'k' } : { key: 'k' }
    app.answer(outcome)
    const first = await ask(app, asking)
    app.answer(answered(0))
    const second = await ask(app, asking)
    expect([first.statusCode, second.statusCode, second.body]).toEqual([status, status, first.body])
    expect(second.headers).toMatchObject({ 'content-type': first.headers['content-type'] })
    expect(second.headers.location).toBe(first.headers.location)
    expect(app.invocations).toHaveLength(1)
  })

  it('replays 204 without a body', async () => {
    const app = build()
    const asking = { url: '/account/a/clear', payload: '{}', key: 'k' }
    await ask(app, asking)
    const second = await ask(app, asking)
    expect([second.statusCode, second.body, second.headers['idempotency-replayed']]).toEqual([204, '', 'true'])
  })

  it('refuses the same key for other arguments with 422, unsent', async () => {
    const app = build()
    app.answer(answered(1))
    await ask(app, { key: 'k' })
    const other = await ask(app, { key: 'k', payload: '{"x":2}' })
    expect(other.statusCode).toBe(422)
    expect(other.json()).toMatchObject({ code: 'idempotency_key_reused', outcome: 'not_sent' })
    expect(app.invocations).toHaveLength(1)
  })

  it.each([
    [''],
    ['two words'],
    ['"no end'],
    ['a"b'],
    ['"a", "b"'],
    ['k'.repeat(256)],
    [`"${'k'.repeat(256)}"`],
    ['""'],
  ])('refuses %j as a key', async (key) => {
    const app = build()
    const response = await ask(app, { key })
    expect([response.statusCode, response.json().code]).toEqual([400, 'invalid_idempotency_key'])
    expect(app.invocations).toEqual([])
  })

  it.each([['k'.repeat(255)], ['"with space"'], ['"with \\" and \\\\"'], ['8e03978e-40d5-43dd-bc93-6894a57f9324']])(
    'takes %j as a key',
    async (key) => {
      const app = build()
      app.answer(answered(1))
      expect((await ask(app, { key })).statusCode).toBe(200)
    },
  )

  it('is one call, however many come at once', async () => {
    const app = build()
    const { answer, settle } = heldBack()
    app.answer(answer)
    const asking = Array.from({ length: 100 }, () => ask(app, { key: 'k' }))
    await late()
    settle(answered(5))
    const responses = await Promise.all(asking)
    expect(app.invocations).toHaveLength(1)
    expect(new Set(responses.map(({ statusCode, body }) => `${statusCode} ${body}`))).toEqual(new Set(['200 5']))
    expect(responses.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(99)
  })

  it('tells joiners that a call was not sent, stores nothing of it, and lets the next one try', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    let joined = 0
    const waitFor: InvocationStore['waitFor'] = (...waiting) => {
      joined++
      return memory.waitFor(...waiting)
    }
    const app = build({ store: { ...memory, waitFor } })
    const { answer, settle } = heldBack()
    app.answer(answer)
    const asking = Array.from({ length: 10 }, () => ask(app, { key: 'k' }))
    await until('nine have joined', () => joined === 9)
    settle(notSent)
    for (const response of await Promise.all(asking)) {
      expect([response.statusCode, response.json().outcome]).toEqual([503, 'not_sent'])
    }
    expect(app.invocations).toHaveLength(1)
    app.answer(answered(6))
    const retry = await ask(app, { key: 'k' })
    expect([retry.statusCode, retry.body, retry.headers['idempotency-replayed']]).toEqual([200, '6', undefined])
    expect(app.invocations).toHaveLength(2)
  })

  it('keeps a call whose outcome is unknown joinable, and gives the late answer', async () => {
    const app = build()
    app.answer({ kind: 'unknown', cause: 'connection-lost', detail: 'Cut off.' })
    const first = await ask(app, { key: 'k' })
    expect([first.statusCode, first.json().code]).toEqual([504, 'connection_lost'])
    expect(location(first)).toBe(`/-/invocations/${app.invocations[0]?.id}`)
    const joining = ask(app, { key: 'k', prefer: 'wait=20' })
    await late()
    await app.store.finish(app.invocations[0]?.id ?? '', { status: 200, headers: {}, body: '8' })
    const joined = await joining
    expect([joined.statusCode, joined.body, joined.headers['idempotency-replayed']]).toEqual([200, '8', 'true'])
    expect(app.invocations).toHaveLength(1)
  })

  it('answers a joiner who waits no longer with 504, and one who would rather with 202', async () => {
    const app = build()
    app.answer(heldBack({ accepted: true }).answer)
    void ask(app, { key: 'k' })
    await late()
    const tired = await ask(app, { key: 'k', prefer: 'wait=0' })
    const patient = await ask(app, { key: 'k', prefer: 'respond-async' })
    expect([tired.statusCode, patient.statusCode]).toEqual([504, 202])
    const place = `/-/invocations/${app.invocations[0]?.id}`
    expect([location(tired), location(patient)]).toEqual([place, place])
  })

  it('says 504 to a joiner who would take 202, when nobody knows by his deadline whether the runtime has the call', async () => {
    const app = build({ overrides: { 'Account.add': { deadlineMs: 60 } } })
    app.answer(heldBack().answer)
    void ask(app, { key: 'k' })
    await until('the call is made', () => app.invocations.length === 1)
    const place = `/-/invocations/${app.invocations[0]?.id}`
    for (const prefer of ['respond-async', 'respond-async, wait=0']) {
      const joined = await ask(app, { key: 'k', prefer })
      expect([joined.statusCode, joined.json().outcome, location(joined)]).toEqual([504, 'unknown', place])
    }
    expect((await app.app.inject(place)).json()).toMatchObject({ state: 'queued' })
  })

  it('says 202 at his deadline to a joiner of a call that the runtime has, where the operator says so', async () => {
    const app = build({ overrides: { 'Account.add': { acceptLate: true, deadlineMs: 600 } } })
    await app.app.ready()
    for (const [accepted, status] of [
      [false, 504],
      [true, 202],
    ] as const) {
      app.answer(heldBack({ accepted }).answer)
      const both = [ask(app, { key: `${accepted}` }), ask(app, { key: `${accepted}` })]
      expect((await Promise.all(both)).map(({ statusCode }) => statusCode)).toEqual([status, status])
    }
    expect(app.invocations).toHaveLength(2)
  })

  it('says 202 to each of many such joiners, also where a timer is early by a millisecond', async () => {
    const app = build({ overrides: { 'Account.add': { acceptLate: true, deadlineMs: 100 } } })
    app.answer(heldBack({ accepted: true }).answer)
    await app.app.ready()
    void ask(app, { key: 'k' })
    await late()
    const joining: Promise<{ readonly statusCode: number }>[] = []
    for (let joiners = 0; joiners < 100; joiners++) {
      joining.push(ask(app, { key: 'k' }))
      await delay(1)
    }
    const joined = await Promise.all(joining)
    expect(joined.filter(({ statusCode }) => statusCode !== 202)).toEqual([])
    expect(app.invocations).toHaveLength(1)
  })

  it('says 202 to a joiner as soon as the runtime has the call', async () => {
    const app = build()
    const { answer, accept } = heldBack()
    app.answer(answer)
    await app.app.ready()
    void ask(app, { key: 'k' })
    await until('the call is made', () => app.invocations.length === 1)
    const place = `/-/invocations/${app.invocations[0]?.id}`
    const joining = ask(app, { key: 'k', prefer: 'respond-async' })
    expect(await Promise.race([joining, late()])).toBe('late')
    accept()
    const joined = await joining
    expect([joined.statusCode, joined.json().state, location(joined)]).toEqual([202, 'running', place])
    expect((await app.app.inject(place)).json()).toMatchObject({ state: 'running' })
    expect(app.invocations).toHaveLength(1)
  })

  it('gives a joiner who would take 202 the answer, when that comes before the acknowledgement', async () => {
    const app = build()
    const { answer, settle } = heldBack()
    app.answer(answer)
    void ask(app, { key: 'k' })
    await late()
    const joining = ask(app, { key: 'k', prefer: 'respond-async' })
    await late()
    settle(answered(3))
    const joined = await joining
    expect([joined.statusCode, joined.body, joined.headers['idempotency-replayed']]).toEqual([200, '3', 'true'])
  })

  it('lets a joiner who would take 202 wait for the answer as long as he says, and no longer', async () => {
    const app = build()
    const { answer, settle } = heldBack({ accepted: true })
    app.answer(answer)
    void ask(app, { key: 'k' })
    await late()
    const began = Date.now()
    const tired = await ask(app, { key: 'k', prefer: 'respond-async, wait=1' })
    expect([tired.statusCode, Date.now() - began >= 900]).toEqual([202, true])
    const patient = ask(app, { key: 'k', prefer: 'respond-async, wait=15' })
    expect(await Promise.race([patient, late()])).toBe('late')
    settle(answered(3))
    expect([(await patient).statusCode, (await patient).body]).toEqual([200, '3'])
  })

  it('tells who joins a call that nobody waits for any more that its key is used up', async () => {
    const app = build({ lifetimeMs: 40 })
    app.answer(heldBack({ accepted: true }).answer)
    const place = location(await ask(app, { key: 'k', prefer: 'respond-async' }))
    await until('it has expired', async () => (await app.app.inject(`${place}`)).json().state === 'expired')
    const again = await ask(app, { key: 'k' })
    expect([again.statusCode, location(again)]).toEqual([504, place])
    expect(again.json()).toMatchObject({ code: 'deadline_exceeded', outcome: 'unknown', retry: 'never' })
    expect(app.invocations).toHaveLength(1)
  })

  it.each([
    ['alone', false],
    ['with others, and says where its answer will be', true],
  ])('lets nobody wait who has joined a call, when this replica stops: %s', async (_how, isShared) => {
    const app = build({ store: { ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }), isShared } })
    app.answer(heldBack().answer)
    void ask(app, { key: 'k' })
    await late()
    const joining = [ask(app, { key: 'k' }), ask(app, { key: 'k', prefer: 'respond-async' })]
    await late()
    app.answering.lastWord()
    for (const joined of await Promise.all(joining)) {
      expect([joined.statusCode, joined.json().code]).toEqual([504, 'answer_abandoned'])
      expect(location(joined)).toBe(isShared ? `/-/invocations/${app.invocations[0]?.id}` : undefined)
    }
  })

  it.each([undefined, 'respond-async'])(
    'makes the call that it joined, when that is no more: Prefer: %s',
    async (prefer) => {
      const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
      let opened = 0
      const open: InvocationStore['open'] = async (record, scope) => {
        if (opened++ === 0) return { kind: 'exists', record: { ...record, id: 'no more' } }
        return memory.open(record, scope)
      }
      const app = build({ store: { ...memory, open } })
      app.answer(answered(4))
      const response = await ask(app, { key: 'k', prefer })
      expect([response.statusCode, response.body, response.headers['idempotency-replayed']]).toEqual([
        200,
        '4',
        undefined,
      ])
      expect([opened, app.invocations.length]).toEqual([2, 1])
    },
  )

  it('is given up, surely unsent, when it learns after its deadline that the call that it joined is no more', async () => {
    const store: InvocationStore = {
      ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }),
      open: async (record) => ({ kind: 'exists', record: { ...record, id: 'no more' } }),
      read: () => delay(1_100, undefined),
    }
    const app = build({ store, overrides: { 'Account.add': { deadlineMs: 1_000 } } })
    const response = await ask(app, { key: 'k' })
    expect([response.statusCode, response.json().outcome, app.invocations.length]).toEqual([503, 'not_sent', 0])
  })

  it('replays that nobody will ever know, where the runtime says so', async () => {
    const app = build()
    app.answer({ kind: 'unknown', cause: 'connection-lost', detail: 'The disk failed.', isFinal: true })
    const first = await ask(app, { key: 'k' })
    const again = await ask(app, { key: 'k' })
    expect([first.statusCode, location(first), again.body]).toEqual([504, undefined, first.body])
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(app.invocations).toHaveLength(1)
  })

  it('is another key for another entity, method or caller', async () => {
    const app = build({ principalOf: ({ headers }) => String(headers['x-caller'] ?? '') })
    app.answer(async () => answered(app.invocations.length))
    const calls = [
      { url: '/account/a/add', headers: { 'x-caller': 'p' } },
      { url: '/account/a/add', headers: { 'x-caller': 'q' } },
      { url: '/account/b/add', headers: { 'x-caller': 'p' } },
      { url: '/account/a/take', headers: { 'x-caller': 'p' } },
    ]
    const bodies: string[] = []
    for (const call of calls) bodies.push((await ask(app, { ...call, key: 'k' })).body)
    expect(bodies).toEqual(['1', '2', '3', '4'])
    for (const [index, call] of calls.entries()) {
      expect((await ask(app, { ...call, key: 'k' })).body).toBe(String(index + 1))
    }
  })

  it('means nothing to a read', async () => {
    const app = build()
    app.answer(async () => answered(app.invocations.length))
    const headers = { 'idempotency-key': 'k' }
    const bodies = [
      await app.app.inject({ url: '/account/a/balance', headers }),
      await app.app.inject({ url: '/account/a/balance', headers }),
    ]
    expect(bodies.map(({ body }) => body)).toEqual(['1', '2'])
  })
})
