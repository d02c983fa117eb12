import { describe, expect, it } from 'vitest'
import { unique } from './unique.ts'

/**
 * The shop, called over HTTP by one transcript that is the same for every runtime: only what both the seed's classes and
 * the embedded ones have.
 */

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export type Caller = (
  verb: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>

export function callerOf(baseUrl: string): Caller {
  return async (verb, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const response = await fetch(`${baseUrl}${path}`, { method: verb, headers: { ...type, ...headers }, ...sent })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
}

/** @param baseUrlOf asked when the first test runs */
export function describeShopTranscript(name: string, baseUrlOf: () => string): void {
  describe(`the shop on ${name}`, () => {
    const call: Caller = (...request) => callerOf(baseUrlOf())(...request)

    /** Each test has its own: alice has 101, bob 1; five laptops at 10, no mouse at 3. */
    async function openShop() {
      const [alice, bob, laptop, mouse] = [unique('alice'), unique('bob'), unique('laptop'), unique('mouse')]
      // Side by side: a runtime may take a second for each.
      await Promise.all([
        ...[alice, bob].map(async (username) => {
          const { status, headers, body } = await call('POST', '/user', { username })
          expect([status, headers.get('location'), body]).toEqual([201, `/user/${username}`, { key: username }])
        }),
        ...[
          { item_name: laptop, price: 10 },
          { item_name: mouse, price: 3 },
        ].map(async (item) => expect((await call('POST', '/item', item)).status).toBe(201)),
      ])
      const filled = [
        call('POST', `/item/${laptop}/update_stock`, { amount: 5 }),
        call('POST', `/user/${alice}/update_balance`, { x: 100 }),
      ]
      expect(await Promise.all(filled.map(bodyOf))).toEqual([
        [200, true],
        [204, undefined],
      ])
      expect(await bodyOf(call('POST', `/user/${alice}/get_balance`))).toEqual([200, 101])
      return { alice, bob, laptop, mouse }
    }

    it('creates users and items, stocks up and pays in', async () => {
      await openShop()
    })

    it('refuses to create one twice', async () => {
      const { alice } = await openShop()
      expectProblem(await call('POST', '/user', { username: alice }), 409, 'entity_exists', 'rejected')
    })

    it('knows who exists', async () => {
      const { alice } = await openShop()
      expect((await call('GET', `/user/${alice}`)).status).toBe(200)
      expect((await call('HEAD', `/user/${alice}`)).status).toBe(200)
      expectProblem(await call('GET', `/user/${unique('nobody')}`), 404, 'entity_not_found', 'rejected')
    })

    it('sells what can be paid, over two entities', async () => {
      const { alice, laptop } = await openShop()
      expect(await bodyOf(call('POST', `/user/${alice}/buy_item`, { amount: 3, item: laptop }))).toEqual([200, true])
      expect(await bodyOf(call('GET', `/user/${alice}/balance`))).toEqual([200, 71])
      expect(await bodyOf(call('GET', `/item/${laptop}/stock`))).toEqual([200, 2])
    })

    it('does not sell what is too dear or out of stock', async () => {
      const { alice, bob, laptop } = await openShop()
      expect(await bodyOf(call('POST', `/user/${bob}/buy_item`, { amount: 1, item: laptop }))).toEqual([200, false])
      expect(await bodyOf(call('POST', `/user/${alice}/buy_item`, { amount: 6, item: laptop }))).toEqual([200, false])
      expect(await bodyOf(call('POST', `/item/${laptop}/update_stock`, { amount: -6 }))).toEqual([200, false])
      expect(await bodyOf(call('GET', `/user/${alice}/balance`))).toEqual([200, 101])
      expect(await bodyOf(call('GET', `/user/${bob}/balance`))).toEqual([200, 1])
      expect(await bodyOf(call('GET', `/item/${laptop}/stock`))).toEqual([200, 5])
    })

    it('follows lists of references', async () => {
      const { alice, bob } = await openShop()
      expect(await bodyOf(call('POST', `/user/${alice}/simple_for_loop`, { users: [alice, bob] }))).toEqual([200, 2])
      expect(await bodyOf(call('GET', `/user/${alice}/balance`))).toEqual([200, 105])
      expect(await bodyOf(call('GET', `/user/${bob}/balance`))).toEqual([200, 10])
    })

    it('reads and writes other entities along the way', async () => {
      const { alice, laptop, mouse } = await openShop()
      expect(await bodyOf(call('POST', `/user/${alice}/state_requests`, { items: [laptop, mouse] }))).toEqual([200, 31])
      expect(await bodyOf(call('GET', `/item/${laptop}/stock`))).toEqual([200, 1])
      expect(await bodyOf(call('GET', `/item/${mouse}/stock`))).toEqual([200, 5])
    })

    it('keeps keys as they are: slashes, spaces, unicode', async () => {
      const name = `ä/ü ${unique('x')} 🛒%`
      const path = `/item/${encodeURIComponent(name)}`
      expect((await call('POST', '/item', { item_name: name, price: 1 })).headers.get('location')).toBe(path)
      expect(await bodyOf(call('POST', `${path}/update_stock`, { amount: 7 }))).toEqual([200, true])
      expect(await bodyOf(call('GET', `${path}/stock`))).toEqual([200, 7])
    })

    it('says what it can’t find, before or after asking the runtime', async () => {
      const { alice } = await openShop()
      const ghost = unique('ghost')
      const noItem = await call('POST', `/user/${alice}/buy_item`, { amount: 1, item: ghost })
      expectProblem(noItem, 404, 'entity_not_found')
      expectProblem(await call('POST', `/user/${ghost}/get_balance`), 404, 'entity_not_found', 'rejected')
      expectProblem(await call('GET', `/user/${ghost}/balance`), 404, 'entity_not_found', 'rejected')
      const misspelt = await call('POST', `/user/${alice}/buy_itm`, {})
      expectProblem(misspelt, 404, 'route_not_found', 'not_sent')
      expect(misspelt.body).toMatchObject({ hint: 'Did you mean "buy_item"?' })
      expectProblem(await call('GET', `/user/${alice}/balence`), 404, 'route_not_found', 'not_sent')
      expectProblem(await call('GET', `/usr/${alice}`), 404, 'route_not_found', 'not_sent')
    })

    it.each([
      ['a missing argument', { amount: 1 }, '#/item'],
      ['an extra argument', { amount: 1, item: 'x', colour: 'red' }, '#/colour'],
      ['text for an integer', { amount: '1', item: 'x' }, '#/amount'],
      ['a fraction for an integer', { amount: 1.5, item: 'x' }, '#/amount'],
      ['true for an integer', { amount: true, item: 'x' }, '#/amount'],
      ['null for an integer', { amount: null, item: 'x' }, '#/amount'],
      ['an empty key', { amount: 1, item: '' }, '#/item'],
      ['a number for a key', { amount: 1, item: 5 }, '#/item'],
      ['a list for the arguments', [1], '#'],
    ])('refuses %s, and points at it', async (_what, body, pointer) => {
      const answer = await call('POST', '/user/alice/buy_item', body)
      expectProblem(answer, 400, 'validation_failed', 'not_sent')
      expect(answer.body).toMatchObject({ errors: expect.arrayContaining([expect.objectContaining({ pointer })]) })
    })

    it('refuses what is not JSON, not this verb, not this media type, not this size', async () => {
      const path = '/user/alice/buy_item'
      expectProblem(await call('POST', path, '{"amount": 1,'), 400, 'malformed_json', 'not_sent')
      const wrongVerb = await call('DELETE', path)
      expectProblem(wrongVerb, 405, 'method_not_allowed', 'not_sent')
      expect(wrongVerb.headers.get('allow')).toBe('POST')
      expectProblem(
        await call('POST', path, 'amount=1', { 'content-type': 'text/plain' }),
        415,
        'unsupported_media_type',
        'not_sent',
      )
      expectProblem(
        await call('POST', path, { amount: 1, item: 'x'.repeat(10_000_000) }),
        413,
        'body_too_large',
        'not_sent',
      )
    })
  })
}

async function bodyOf(answer: Promise<Answer>): Promise<readonly [number, unknown]> {
  const { status, body } = await answer
  return [status, body]
}

/** Writes an integer by a method and reads it back as text: `JSON.parse` would round it. */
export async function digitsBack(
  baseUrl: string,
  call: { readonly write: string; readonly body: string; readonly read: string },
): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const written = await fetch(`${baseUrl}${call.write}`, { method: 'POST', headers, body: call.body })
  expect(written.status).toBeLessThan(300)
  const read = await fetch(`${baseUrl}${call.read}`)
  return read.text()
}

export function expectProblem(answer: Answer, status: number, code: string, outcome?: string): void {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({
    type: `/-/problems/${code}`,
    status,
    code,
    ...(outcome === undefined ? {} : { outcome }),
    title: expect.stringMatching(/\w/),
    detail: expect.stringMatching(/\w/),
    instance: expect.stringMatching(/^urn:uuid:/),
    source: expect.stringMatching(/^(gateway|broker|runtime|method)$/),
    retry: expect.stringMatching(/^(safe|same_key|never|after)$/),
  })
  expect(answer.status).toBe(status)
}
