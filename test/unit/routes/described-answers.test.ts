import { describe, expect, it } from 'vitest'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import { IDEMPOTENCY_KEY_PATTERN, parseIdempotencyKey } from '../../../src/routes/idempotency.ts'
import { buildScriptedApp } from '../../helpers/scripted-app.ts'

/** What Schemathesis has found once, each held by a test of its own. */

const account: MetadataDocument['entities'][number] = {
  name: 'Account',
  key: { name: 'id', schema: { type: 'string' } },
  state: { id: { type: 'string' }, balance: { type: 'integer' }, note: {} },
  create: { params: [{ name: 'id', schema: { type: 'string' } }] },
  methods: [
    {
      name: 'search',
      params: [{ name: 'limit', schema: { type: 'integer' } }],
      returns: { type: 'integer' },
      readOnly: true,
    },
  ],
}

function build() {
  return buildScriptedApp({
    entities: [account],
    overrides: { 'Account.balance': { writable: true }, 'Account.note': { writable: true } },
    capabilities: { enforcesReadOnly: true },
  })
}

const json = { 'content-type': 'application/json' }

describe('what no runtime should be sent', () => {
  it.each([
    ['an integer beyond 64 bits', '9223372036854775808'],
    ['a negative one', '-9223372036854775809'],
    ['an unpaired surrogate', '"\\ud800"'],
  ])('is refused as a whole body too: %s', async (_what, payload) => {
    const { app, invocations } = build()
    for (const attribute of ['balance', 'note']) {
      const answer = await app.inject({ method: 'PUT', url: `/account/a/${attribute}`, headers: json, payload })
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'malformed_json'])
    }
    expect(invocations).toEqual([])
  })

  it('is refused in a query, where 64 bits are the limit too', async () => {
    const { app, invocations } = build()
    const answer = await app.inject('/account/a/search?limit=9223372036854775808')
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'validation_failed'])
    expect((await app.inject('/account/a/search?limit=9223372036854775807')).statusCode).not.toBe(400)
    expect(invocations).toHaveLength(1)
  })

  it('is no body at all where any value fits', async () => {
    const { app, invocations } = build()
    const answer = await app.inject({ method: 'PUT', url: '/account/a/note' })
    expect([answer.statusCode, answer.json().errors]).toEqual([400, [{ pointer: '#', detail: 'is required' }]])
    expect(invocations).toEqual([])
  })
})

describe('where no route is', () => {
  it.each([
    ['QUERY', '/account', {}, undefined],
    ['PUT', '/account', { 'content-type': 'text/plain' }, 'text'],
    ['PUT', '/account', json, '{"half":'],
  ])('405 is said before anything of the body: %s %s', async (method, url, headers, payload) => {
    const { app } = build()
    const answer = await app.inject({
      // `inject` knows no QUERY by its types.
      ...{ method: method as 'PUT', url, headers },
      ...(payload !== undefined && { payload }),
    })
    expect([answer.statusCode, answer.json().code]).toEqual([405, 'method_not_allowed'])
    expect(answer.headers.allow).toBe('POST')
  })

  it('404 is too', async () => {
    const { app } = build()
    const answer = await app.inject({
      method: 'POST',
      url: '/acount',
      headers: { 'content-type': 'a/b' },
      payload: 'x',
    })
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'route_not_found'])
  })
})

describe('the documented pattern of an idempotency key', () => {
  const fits = (key: string) => new RegExp(IDEMPOTENCY_KEY_PATTERN).test(key)
  const isTaken = (key: string) => {
    try {
      return parseIdempotencyKey(key) !== undefined
    } catch {
      return false
    }
  }

  const keys = [
    ...['k', '"k"', '"a b"', 'a b', '', '""', '"a\\"b"', 'a"b', 'a\\b', '"a\\b"', 'é', '\u0000', '"'],
    ...['x'.repeat(255), 'x'.repeat(256), `"${'x'.repeat(255)}"`, `"${'x'.repeat(256)}"`, `"${'\\"'.repeat(255)}"`],
  ]

  it('says what is taken', () => {
    expect(keys.filter(fits)).toEqual(keys.filter(isTaken))
    expect(keys.filter(fits)).toHaveLength(7)
  })
})
