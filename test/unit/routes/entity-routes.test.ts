import { describe, expect, it } from 'vitest'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import { buildScriptedApp, type Script } from '../../helpers/scripted-app.ts'

const account: MetadataDocument['entities'][number] = {
  name: 'Account',
  key: { name: 'id', schema: { type: 'string' } },
  state: { id: { type: 'string' }, balance: { type: 'integer' }, note: { type: ['string', 'null'] } },
  create: { params: [{ name: 'id', schema: { type: 'string' } }] },
  methods: [
    { name: 'add', params: [{ name: 'x', schema: { type: 'integer' } }], returns: { type: 'integer' } },
    { name: 'clear', params: [], returns: { type: 'null' } },
    { name: 'anything', params: [{ name: 'value', schema: {} }] },
    {
      name: 'search',
      params: [
        { name: 'text', schema: { type: 'string' } },
        { name: 'limit', schema: { type: 'integer' }, required: false },
        { name: 'tags', schema: { type: 'array', items: { type: 'string' } }, required: false },
      ],
    },
    { name: 'strict', params: [], errors: { Frozen: { status: 409, description: 'No more changes.' } } },
  ],
}
const counter: MetadataDocument['entities'][number] = {
  name: 'Counter',
  key: { name: 'n', schema: { type: 'integer' } },
  methods: [{ name: 'next', params: [] }],
}

function build(changes: Partial<Script> = {}) {
  return buildScriptedApp({ entities: [account, counter], ...changes })
}

const json = { 'content-type': 'application/json' }

function post(url: string, payload: string) {
  return { method: 'POST' as const, url, headers: json, payload }
}

describe('outcomes become answers', () => {
  const failures: readonly [string, Outcome, number, object][] = [
    [
      'missing',
      { kind: 'rejected', reason: 'entity-not-found', detail: 'No such.', effect: 'none' },
      404,
      { code: 'entity_not_found', outcome: 'rejected', retry: 'never' },
    ],
    [
      'missing half way',
      { kind: 'rejected', reason: 'entity-not-found', detail: 'No such.', effect: 'partial' },
      404,
      { code: 'entity_not_found', outcome: 'raised' },
    ],
    [
      'there already',
      { kind: 'rejected', reason: 'entity-exists', detail: 'Twice.', effect: 'none' },
      409,
      { code: 'entity_exists', outcome: 'rejected' },
    ],
    [
      'raised',
      { kind: 'raised', name: 'ValueError', message: 'no', data: { a: 1 } },
      422,
      { code: 'method_raised', outcome: 'raised', source: 'method', error: { name: 'ValueError', data: { a: 1 } } },
    ],
    [
      'unreadable',
      { kind: 'malformed', detail: 'Not JSON.' },
      502,
      { code: 'unreadable_answer', outcome: 'unknown', retry: 'same_key' },
    ],
    [
      'overloaded',
      { kind: 'not-sent', cause: 'overloaded', detail: 'Full.' },
      503,
      { code: 'overloaded', outcome: 'not_sent', retry: 'after' },
    ],
    [
      'no broker',
      { kind: 'not-sent', cause: 'broker-unavailable', detail: 'Away.' },
      503,
      { code: 'broker_unavailable', outcome: 'not_sent' },
    ],
    [
      'no runtime',
      { kind: 'not-sent', cause: 'runtime-unavailable', detail: 'Away.' },
      503,
      { code: 'runtime_unavailable', outcome: 'not_sent' },
    ],
    [
      'stopping',
      { kind: 'not-sent', cause: 'shutting-down', detail: 'Bye.' },
      503,
      { code: 'shutting_down', outcome: 'not_sent' },
    ],
    [
      'too large for a record',
      { kind: 'not-sent', cause: 'too-large', detail: 'Big.' },
      413,
      { code: 'record_too_large', outcome: 'not_sent', retry: 'never' },
    ],
    [
      'silent',
      { kind: 'unknown', cause: 'deadline', detail: 'Silence.' },
      504,
      { code: 'deadline_exceeded', outcome: 'unknown', retry: 'same_key' },
    ],
    [
      'cut off',
      { kind: 'unknown', cause: 'connection-lost', detail: 'Cut.' },
      504,
      { code: 'connection_lost', outcome: 'unknown' },
    ],
    [
      'abandoned',
      { kind: 'unknown', cause: 'shutting-down', detail: 'Bye.' },
      504,
      { code: 'answer_abandoned', outcome: 'unknown' },
    ],
  ]

  it.each(failures)('answers a call that was %s', async (_what, outcome, status, problem) => {
    const { app, answer, invocations } = build()
    answer(outcome)
    const response = await app.inject(post('/account/a/add', '{"x":1}'))
    expect(response.statusCode).toBe(status)
    expect(response.headers['content-type']).toBe('application/problem+json')
    expect(response.json()).toMatchObject({ status, ...problem, invocationId: invocations[0]?.id })
    expect(response.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
    expect(response.body).not.toMatch(/node_modules|at .*\.ts:/)
  })

  it('lets a read be sent again, whatever became of it', async () => {
    const { app, answer } = build()
    answer({ kind: 'unknown', cause: 'deadline', detail: 'Silence.' })
    expect((await app.inject('/account/a/balance')).json()).toMatchObject({ status: 504, retry: 'safe' })
  })

  it('answers a declared error with its own status', async () => {
    const { app, answer } = build()
    answer({ kind: 'raised', name: 'Frozen', message: 'no' })
    expect((await app.inject(post('/account/a/strict', ''))).json()).toMatchObject({
      status: 409,
      code: 'method_raised',
    })
  })

  it('answers 204 without a body when the method returns nothing', async () => {
    const { app, answer } = build()
    answer({ kind: 'returned', value: null })
    const response = await app.inject({ method: 'POST', url: '/account/a/clear' })
    expect([response.statusCode, response.body]).toEqual([204, ''])
  })

  it('writes null, false, zero and the empty string as what they are', async () => {
    const { app, answer } = build()
    for (const value of [null, false, 0, '', [], 9007199254740993n]) {
      answer({ kind: 'returned', value })
      const response = await app.inject(post('/account/a/anything', '{"value":1}'))
      expect(response.statusCode).toBe(200)
      expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
      expect(response.body).toBe(typeof value === 'bigint' ? String(value) : JSON.stringify(value))
    }
  })

  it('does not pass on an answer that the metadata does not promise', async () => {
    const { app, answer } = build()
    answer({ kind: 'returned', value: 'seven' })
    const problem = (await app.inject(post('/account/a/add', '{"x":1}'))).json()
    expect(problem).toMatchObject({
      status: 502,
      code: 'unreadable_answer',
      detail: expect.stringContaining('must be integer'),
    })
    answer({ kind: 'returned', value: 7 })
    expect((await app.inject({ method: 'POST', url: '/account/a/clear' })).statusCode).toBe(502)
  })

  it('does not pass on a key that no address can name: it was created all the same', async () => {
    const { app, answer } = build()
    answer({ kind: 'created', key: 'half \ud800' })
    const response = await app.inject(post('/account', '{"id":"a"}'))
    expect(response.statusCode).toBe(502)
    expect(response.json()).toMatchObject({ code: 'unreadable_answer', outcome: 'unknown' })
  })

  it('shows only what may be read of a state', async () => {
    const { app, answer } = build({ overrides: { 'Account.balance': { expose: false } } })
    answer({ kind: 'returned', value: { id: 'a', balance: 5, note: null } })
    expect((await app.inject('/account/a')).json()).toEqual({ id: 'a', note: null })
    expect((await app.inject('/account/a/balance')).statusCode).toBe(404)
  })
})

describe('requests become invocations', () => {
  it('hands key, arguments and deadline over, checked and unchanged', async () => {
    const { app, answer, invocations } = build({ overrides: { 'Account.add': { deadlineMs: 50 } } })
    answer({ kind: 'returned', value: 3 })
    const before = Date.now()
    await app.inject({
      ...post('/account/a%2Fb/add', '{"x":3}'),
      headers: { ...json, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    })
    const [invocation] = invocations
    expect(invocation).toMatchObject({
      target: { kind: 'call', key: 'a/b' },
      args: { x: 3 },
      context: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    })
    expect(invocation?.id).toMatch(/^[0-9a-f-]{36}$/)
    expect((invocation?.deadline ?? 0) - before).toBeLessThan(10_000)
  })

  it('keeps 64-bit integers exact, and knows their bounds', async () => {
    const { app, answer, invocations } = build()
    answer({ kind: 'returned', value: 9223372036854775807n })
    for (const digits of ['9007199254740993', '9223372036854775807', '-9223372036854775808']) {
      expect((await app.inject(post('/account/a/add', `{"x":${digits}}`))).body).toBe('9223372036854775807')
      expect(invocations.at(-1)?.args).toEqual({ x: BigInt(digits) })
    }
    for (const digits of ['9223372036854775808', '-9223372036854775809', '1e19', '1e400']) {
      expect((await app.inject(post('/account/a/add', `{"x":${digits}}`))).statusCode).toBe(400)
    }
    expect(invocations).toHaveLength(3)
  })

  it('takes a key of 1 KiB in any script, and no more', async () => {
    const { app, answer, invocations } = build()
    answer({ kind: 'returned', value: 1 })
    const key = '鍵'.repeat(341)
    expect((await app.inject(`/account/${encodeURIComponent(key)}/balance`)).statusCode).toBe(200)
    expect(invocations[0]?.target).toMatchObject({ key })
    const longer = await app.inject(`/account/${encodeURIComponent(`${key}xx`)}/balance`)
    expect(longer.json()).toMatchObject({ status: 400, code: 'invalid_key' })
    const endless = await app.inject(`/account/${'x'.repeat(4000)}/balance`)
    expect(endless.json()).toMatchObject({ status: 414, code: 'uri_too_long' })
  })

  it.each([
    ['42', 42],
    ['-7', -7],
    ['0', 0],
    ['9007199254740993', 9007199254740993n],
  ])('reads %s as an integer key', async (text, key) => {
    const { app, invocations } = build()
    await app.inject({ method: 'POST', url: `/counter/${text}/next` })
    expect(invocations[0]?.target).toMatchObject({ key })
  })

  it.each(['x', '1.5', '1e3', '007', '-0', '9223372036854775808', '%20', ''])(
    'refuses "%s" as an integer key',
    async (text) => {
      const { app, invocations } = build()
      const response = await app.inject({ method: 'POST', url: `/counter/${text}/next` })
      expect(response.json()).toMatchObject({ status: 400, code: 'invalid_key' })
      expect(invocations).toEqual([])
    },
  )

  it.each([
    ['a cut-off body', '{"x":1', 'malformed_json'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0x78, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'malformed_json'],
    ['a member named __proto__', '{"value":{"__proto__":{"x":1}}}', 'malformed_json'],
    ['an escaped __proto__', '{"value":{"\\u005f_proto__":1}}', 'malformed_json'],
    ['a hundred levels of lists', `{"value":${'['.repeat(100)}${']'.repeat(100)}}`, 'malformed_json'],
    ['a hundred thousand levels', `{"value":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'malformed_json'],
    ['an unpaired surrogate', '{"value":"\\ud800"}', 'malformed_json'],
    ['an infinite number', '{"value":1e999}', 'malformed_json'],
    ['an integer beyond 64 bits where anything may stand', '{"value":99999999999999999999}', 'malformed_json'],
    ['a bare number', '5', 'validation_failed'],
    ['nothing where something is needed', '', 'validation_failed'],
  ])('refuses %s before the runtime sees it', async (_what, payload, code) => {
    const { app, invocations } = build()
    const response = await app.inject({ method: 'POST', url: '/account/a/anything', headers: json, payload })
    expect(response.json()).toMatchObject({ status: 400, code, outcome: 'not_sent' })
    expect(invocations).toEqual([])
  })

  it('refuses query parameters where arguments belong into the body', async () => {
    const { app } = build()
    const response = await app.inject(post('/account/a/add?x=1', '{"x":1}'))
    expect(response.json()).toMatchObject({
      status: 400,
      errors: [{ pointer: '#/query/x' }],
      hint: expect.stringContaining('body'),
    })
  })

  it('tells of twenty wrong places at most', async () => {
    const { app } = build()
    const members = Array.from({ length: 500 }, (_, index) => `"m${index}":1`).join(',')
    const { errors } = (await app.inject(post('/account/a/add', `{${members}}`))).json()
    expect(errors).toHaveLength(20)
  })

  it('creates with a Location that leads to the entity', async () => {
    const { app, answer } = build()
    answer({ kind: 'created', key: 'ä/b' })
    const response = await app.inject(post('/account', '{"id":"ä/b"}'))
    expect([response.statusCode, response.headers.location, response.json()]).toEqual([
      201,
      '/account/%C3%A4%2Fb',
      { key: 'ä/b' },
    ])
  })
})

describe('what is served', () => {
  it('answers 405 with Allow on a path that has other verbs', async () => {
    const { app } = build()
    for (const [method, url, allow] of [
      ['GET', '/account', 'POST'],
      ['DELETE', '/account/a', 'GET, HEAD'],
      ['PUT', '/account/a/balance', 'GET, HEAD'],
      ['PATCH', '/-/livez', 'GET, HEAD'],
    ] as const) {
      const response = await app.inject({ method, url })
      expect([response.statusCode, response.headers.allow]).toEqual([405, allow])
    }
  })

  it('writes attributes only where the operator allows it', async () => {
    const { app, invocations, answer } = build({ overrides: { 'Account.balance': { writable: true } } })
    answer({ kind: 'returned', value: null })
    const written = await app.inject({ method: 'PUT', url: '/account/a/balance', headers: json, payload: '5' })
    expect(written.statusCode).toBe(204)
    expect(invocations[0]?.target).toMatchObject({ kind: 'write-attribute', value: 5, key: 'a' })
    const wrong = await app.inject({ method: 'PUT', url: '/account/a/balance', headers: json, payload: '"x"' })
    expect(wrong.json()).toMatchObject({ status: 400, errors: [{ pointer: '#', detail: 'must be integer' }] })
    expect(
      (await app.inject({ method: 'PUT', url: '/account/a/note', headers: json, payload: '"x"' })).statusCode,
    ).toBe(405)
    // The key attribute is the entity's address.
    expect((await app.inject({ method: 'PUT', url: '/account/a/id', headers: json, payload: '"x"' })).statusCode).toBe(
      405,
    )
  })

  it('writes nothing on a condition, which no runtime could keep to', async () => {
    const { app, invocations, answer } = build({ overrides: { 'Account.balance': { writable: true } } })
    answer({ kind: 'returned', value: null })
    const writes = [
      { method: 'PUT', url: '/account/a/balance', payload: '5' },
      { method: 'POST', url: '/account/a/clear' },
    ] as const
    for (const [written, write] of writes.entries()) {
      const asked = (condition: string) => app.inject({ ...write, headers: { ...json, 'if-match': condition } })
      for (const condition of ['"read-before"', 'W/"a", "b"', '']) {
        const refused = await asked(condition)
        expect(refused.json()).toMatchObject({ status: 400, code: 'unsupported_call', outcome: 'not_sent' })
        expect(invocations).toHaveLength(written)
      }
      expect((await asked('*')).statusCode).toBe(204)
      expect(invocations).toHaveLength(written + 1)
    }
    answer({ kind: 'returned', value: 5 })
    const read = await app.inject({ url: '/account/a/balance', headers: { 'if-match': '"read-before"' } })
    expect(read.statusCode).toBe(200)
  })

  it('writes no attribute where it must not be there or be another, and creates and calls where nothing can be there', async () => {
    const { app, invocations, answer } = build({ overrides: { 'Account.balance': { writable: true } } })
    for (const condition of ['*', '"read-before"', 'W/"a", "b"']) {
      const headers = { ...json, 'if-none-match': condition }
      const refused = await app.inject({ method: 'PUT', url: '/account/a/balance', payload: '5', headers })
      expect(refused.json()).toMatchObject({ status: 400, code: 'unsupported_call', outcome: 'not_sent' })
      expect(refused.json().detail).toContain('`If-None-Match`')
      expect(invocations).toHaveLength(0)
    }
    answer({ kind: 'returned', value: null })
    const headers = { ...json, 'if-none-match': '*' }
    const called = await app.inject({ method: 'POST', url: '/account/a/clear', headers })
    expect([called.statusCode, invocations.length]).toEqual([204, 1])
    answer({ kind: 'created', key: 'a' })
    const created = await app.inject({ method: 'POST', url: '/account', payload: '{"id":"a"}', headers })
    expect([created.statusCode, invocations.length]).toEqual([201, 2])
  })

  it('serves a safe method by GET, with arguments in the query', async () => {
    const { app, invocations } = build({ overrides: { 'Account.search': { safe: true } } })
    const response = await app.inject('/account/a/search?text=5&limit=10&tags=x&tags=y')
    expect(response.statusCode).toBe(200)
    expect(invocations[0]?.args).toEqual({ text: '5', limit: 10, tags: ['x', 'y'] })
    expect((await app.inject('/account/a/search?text=5&limit=ten')).json()).toMatchObject({
      status: 400,
      errors: [{ pointer: '#/limit' }],
    })
    expect((await app.inject('/account/a/search?text=5&colour=red')).statusCode).toBe(400)
  })

  it('refuses a body where arguments belong into the query, and drops nothing in silence', async () => {
    const { app, invocations } = build({ overrides: { 'Account.search': { verb: 'DELETE' } } })
    const url = '/account/a/search?text=5'
    const headers = { 'content-type': 'application/json' }
    for (const payload of ['{"limit":1}', '[1]', 'null', '0']) {
      const refused = await app.inject({ method: 'DELETE', url, headers, payload })
      expect([refused.statusCode, refused.json().hint]).toEqual([400, 'Arguments go into the query.'])
    }
    expect((await app.inject({ method: 'DELETE', url, headers, payload: '{}' })).statusCode).toBe(200)
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(200)
    expect(invocations.map(({ args }) => args)).toEqual([{ text: '5' }, { text: '5' }])
  })

  it('takes an empty text in the query for a text, and for nothing else', async () => {
    const { app, invocations } = build({ overrides: { 'Account.search': { safe: true } } })
    expect((await app.inject('/account/a/search?text=5&limit=')).json()).toMatchObject({
      code: 'validation_failed',
      errors: [{ pointer: '#/limit', detail: 'must be integer' }],
    })
    expect((await app.inject('/account/a/search?text=&tags=')).statusCode).toBe(200)
    expect(invocations.map(({ args }) => args)).toEqual([{ text: '', tags: [''] }])
  })

  it('puts a method where the operator wants it', async () => {
    const { app, invocations } = build({
      overrides: { 'Account.clear': { verb: 'PUT', path: '/accounts/{key}/zero' } },
    })
    expect((await app.inject({ method: 'PUT', url: '/accounts/a/zero' })).statusCode).toBe(204)
    expect(invocations[0]?.target).toMatchObject({ kind: 'call', key: 'a' })
    expect((await app.inject({ method: 'POST', url: '/account/a/clear' })).statusCode).toBe(404)
  })

  it('answers 304 to a caller who has the value', async () => {
    const { app, answer } = build()
    answer({ kind: 'returned', value: 5 })
    const first = await app.inject('/account/a/balance')
    const etag = String(first.headers.etag)
    for (const header of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const again = await app.inject({ url: '/account/a/balance', headers: { 'if-none-match': header } })
      expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', etag])
    }
    answer({ kind: 'returned', value: 6 })
    expect((await app.inject({ url: '/account/a/balance', headers: { 'if-none-match': etag } })).statusCode).toBe(200)
  })

  it('makes no route that the runtime can’t serve', async () => {
    const { app } = build({ capabilities: { create: false, find: false, readState: false, readAttribute: false } })
    expect((await app.inject(post('/account', '{"id":"a"}'))).statusCode).toBe(404)
    expect((await app.inject('/account/a')).statusCode).toBe(404)
    expect((await app.inject('/account/a/balance')).statusCode).toBe(404)
    expect((await app.inject({ method: 'POST', url: '/account/a/clear' })).statusCode).toBe(204)
  })

  it('asks only whether it exists where a whole state can’t be read', async () => {
    const { app, answer, invocations } = build({ capabilities: { readState: false } })
    answer({ kind: 'returned', value: null })
    expect((await app.inject('/account/a')).json()).toEqual({ key: 'a' })
    expect(invocations[0]?.target.kind).toBe('find')
  })

  it('stops the start when two operations would share a route', () => {
    const clash = { ...account, methods: [{ name: 'balance', params: [] }] }
    expect(() => buildScriptedApp({ entities: [clash], overrides: { 'Account.balance': { safe: true } } })).toThrow(
      /GET \/account\/:key\/balance would be both the attribute Account.balance and the method Account.balance/,
    )
  })
})

describe('the gateway’s own routes', () => {
  const down = { name: 'kafka', ok: false, detail: 'No broker answers.' }
  const up = { name: 'runtime', ok: true, detail: 'It answers.' }

  it('is alive while the process is', async () => {
    expect((await build({ checks: [down] }).app.inject('/-/livez')).json()).toEqual({ status: 'alive' })
  })

  it('is ready when every check is, and names each when asked', async () => {
    const { app } = build({ checks: [up] })
    expect((await app.inject('/-/readyz')).json()).toEqual({ status: 'ready' })
    expect((await app.inject('/-/readyz?verbose')).json()).toEqual({ status: 'ready', checks: [up] })
  })

  it('is not ready when one check is not', async () => {
    const { app } = build({ checks: [up, down] })
    const response = await app.inject('/-/readyz?verbose')
    expect(response.json()).toMatchObject({
      status: 503,
      code: 'not_ready',
      detail: 'kafka: No broker answers.',
      checks: [up, down],
    })
    expect((await app.inject('/-/readyz')).json()).not.toHaveProperty('checks')
  })

  it('lists what is exposed and what is not', async () => {
    const { app } = build({ overrides: { 'Account.clear': { expose: false } } })
    const { entities } = (await app.inject('/-/entities')).json()
    expect(entities[0]).toMatchObject({
      name: 'Account',
      key: { name: 'id', type: 'string' },
      routes: expect.arrayContaining(['POST /account/{key}/add']),
      hidden: [{ name: 'clear', reason: 'hidden by the operator' }],
    })
  })

  it.each([
    ['/account/a/add/', 'There is no such route of Account.', 'add is at /account/{key}/add.'],
    ['/account/a/balance/x', 'There is no such route of Account.', 'balance is at /account/{key}/balance.'],
    ['/account/a/clear', 'There is no such route of Account.', 'clear is at /accounts/{key}/emptied.'],
    ['/account/a/ad/', 'Account has no method or attribute "ad".', 'Did you mean "add"?'],
  ])('says where a member is that was asked for elsewhere: %s', async (url, detail, hint) => {
    const { app } = build({ overrides: { 'Account.clear': { path: '/accounts/{key}/emptied' } } })
    const answer = await app.inject({ method: 'POST', url })
    expect([answer.statusCode, answer.json()]).toEqual([404, expect.objectContaining({ detail, hint })])
  })

  it('says that a runtime can’t be asked for an attribute', async () => {
    const { app } = build({ capabilities: { readAttribute: false } })
    const answer = (await app.inject('/account/a/note')).json()
    expect([answer.code, answer.detail, answer.hint]).toEqual([
      ...['route_not_found', 'The runtime of Account can’t be asked for note.', undefined],
    ])
  })

  it('explains every problem it can answer with', async () => {
    const { app } = build()
    const { type } = (await app.inject('/nowhere')).json()
    expect((await app.inject(type)).json()).toMatchObject({
      code: 'route_not_found',
      status: 404,
      advice: expect.any(String),
    })
    const page = await app.inject({ url: type, headers: { accept: 'text/html' } })
    expect(page.headers['content-type']).toMatch(/^text\/html/)
    expect(page.body).toContain('No such route')
    expect((await app.inject('/-/problems/constructor')).statusCode).toBe(404)
  })
})
