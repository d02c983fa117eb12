import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { root } from '../helpers/gateway-process.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { type Caller, callerOf, expectProblem } from '../helpers/shop-transcript.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../helpers/temporary-folder.ts'

describe('examples/custom-routes', () => {
  let gateway: RunningGateway
  let call: Caller
  beforeAll(async () => {
    gateway = await startGateway({ GATEWAY_ROUTES: join(root, 'examples/custom-routes') })
    call = callerOf(gateway.url)
    await call('POST', '/user', { username: 'alice' })
    await call('POST', '/user/alice/update_balance', { x: 9 })
    await call('POST', '/item', { item_name: 'laptop', price: 3 })
    await call('POST', '/item/laptop/set_stock', { amount: 2 })
  })
  afterAll(() => gateway.close())

  it('answers from two entities', async () => {
    const { status, body } = await call('GET', '/user/alice/affords/laptop')
    expect([status, body]).toEqual([200, { balance: 10, price: 3, stock: 2, affordable: 2 }])
  })

  it('answers also for what costs nothing, and of who has nothing', async () => {
    await call('POST', '/user', { username: 'debtor' })
    await call('POST', '/user/debtor/update_balance', { x: -1 })
    await call('POST', '/item', { item_name: 'leaflet', price: 0 })
    expect((await call('GET', '/user/debtor/affords/leaflet')).body).toMatchObject({ balance: 0, affordable: 0 })
    await call('POST', '/item/leaflet/set_stock', { amount: 7 })
    await call('POST', '/user/debtor/update_balance', { x: -5 })
    expect((await call('GET', '/user/debtor/affords/leaflet')).body).toMatchObject({ balance: -5, affordable: 7 })
    expect((await call('GET', '/user/debtor/affords/laptop')).body).toMatchObject({ balance: -5, affordable: 0 })
  })

  it('passes on that an entity is missing', async () => {
    const noUser = await call('GET', '/user/ghost/affords/laptop')
    expectProblem(noUser, 404, 'entity_not_found', 'rejected')
    expect(noUser.body).toMatchObject({ detail: expect.stringContaining('ghost') })
    expectProblem(await call('GET', '/user/alice/affords/ghost'), 404, 'entity_not_found', 'rejected')
  })

  it('is validated by its own schema', async () => {
    const answer = await call('GET', '/user/alice/affords/')
    expectProblem(answer, 400, 'validation_failed', 'not_sent')
    expect(answer.body).toMatchObject({ errors: [{ pointer: expect.stringMatching(/\/item$/) }] })
  })

  it('is in the document, beside the generated routes', async () => {
    const { body } = await call('GET', '/openapi.json')
    expect(body).toMatchObject({
      paths: {
        '/user/{username}/affords/{item}': { get: { operationId: 'user_affords', tags: ['User'] } },
        '/user/{key}/buy_item': { post: { operationId: 'user_buy_item' } },
      },
    })
  })
})

describe('a file of custom routes', () => {
  let folder: TemporaryFolder
  const gateways: RunningGateway[] = []
  beforeEach(() => {
    folder = createTemporaryFolder()
  })
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
    folder.close()
  })

  async function start(source: string): Promise<RunningGateway> {
    const gateway = await startGateway({ GATEWAY_ROUTES: folder.write('plugin.mjs', source) })
    gateways.push(gateway)
    return gateway
  }

  it.each([
    ['that is no module', 'export default async function (app) {', 'plugin.mjs'],
    ['that imports what is not there', "import 'no-such-package'\nexport default async () => {}", 'plugin.mjs'],
    ['without a default export', 'export const routes = []', 'plugin.mjs" has no Fastify plugin as its default export'],
    ['whose default export is no plugin', 'export default { routes: [] }', 'plugin.mjs" has no Fastify plugin'],
    [
      'that throws',
      "export default async () => { throw new Error('no price list') }",
      'plugin.mjs" can’t be registered. Error: no price list',
    ],
    [
      'that takes a route which an entity has',
      "export default async (app) => { app.post('/user/:key/buy_item', () => 1) }",
      "Method 'POST' already declared for route '/user/:key/buy_item'",
    ],
    [
      'with a path of the gateway’s own',
      "export default async (app) => { app.get('/-/mine', () => 1) }",
      'plugin.mjs" can’t be registered. Error: The path /-/mine is reserved: all under /-/ are the gateway’s own.',
    ],
    [
      'with such a prefix',
      "export default async (app) => { await app.register(async (own) => { own.get('/mine', () => 1) }, { prefix: '/-' }) }",
      'The path /-/mine is reserved',
    ],
  ])('%s stops the start, and is named', async (_what, source, message) => {
    await expect(start(source)).rejects.toThrow(message)
  })

  it('in a folder is registered in the order of the names; other files are left alone', async () => {
    folder.write(
      'routes/b.mjs',
      "export default async (app) => { app.get('/b', () => ({ second: app.hasDecorator('x') })) }",
    )
    folder.write('routes/a.mjs', "export default async (app) => { app.get('/a', () => ({ first: true })) }")
    folder.write('routes/notes.txt', 'not a plugin')
    folder.write('routes/types.d.ts', 'export {}')
    const gateway = await startGateway({ GATEWAY_ROUTES: join(folder.path, 'routes') })
    gateways.push(gateway)
    const { body } = await callerOf(gateway.url)('GET', '/openapi.json')
    const paths = Object.keys((body as { readonly paths: object }).paths)
    expect(paths.slice(-2)).toEqual(['/a', '/b'])
  })

  it('in a folder without any stops the start, and the folder is named', async () => {
    const notes = folder.write('routes/notes.txt', 'not a plugin')
    await expect(startGateway({ GATEWAY_ROUTES: dirname(notes) })).rejects.toThrow(
      `GATEWAY_ROUTES: there is no plugin in the folder "${dirname(notes)}".`,
    )
  })

  it('that misspells a method is answered by 500, and the log names the nearest', async () => {
    const file = folder.write(
      'plugin.mjs',
      "export default async (app) => { app.get('/typo/:key', ({ params: { key } }) => app.gateway.entity('User', key).call('get_balence')) }",
    )
    const lines: string[] = []
    const stream = { write: (line: string) => void lines.push(line) }
    const gateway = await startGateway({ GATEWAY_ROUTES: file }, { logger: { level: 'error', stream } })
    gateways.push(gateway)
    const answer = await callerOf(gateway.url)('GET', '/typo/alice')
    expectProblem(answer, 500, 'internal_error')
    expect(JSON.stringify(answer.body)).not.toContain('get_balence')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      msg: 'a request failed',
      err: { message: 'User has no method "get_balence". Did you mean "get_balance"?' },
    })
  })

  it.each([
    ['a missing argument', { amount: 1 }, '#/item'],
    ['a wrongly typed argument', { amount: '1', item: 'laptop' }, '#/amount'],
  ])('that passes %s has it refused as over HTTP', async (_what, args, pointer) => {
    const gateway = await start(
      `export default async (app) => { app.post('/buy', () => app.gateway.entity('User', 'alice').call('buy_item', ${JSON.stringify(args)})) }`,
    )
    const answer = await callerOf(gateway.url)('POST', '/buy')
    expectProblem(answer, 400, 'validation_failed', 'not_sent')
    expect(answer.body).toMatchObject({ errors: [{ pointer }] })
  })

  it.each([
    ['dots', '..'],
    ['nothing', ''],
    ['more than 1 KiB, in fewer characters', 'é'.repeat(600)],
  ])('that passes a key of %s has it refused as over HTTP', async (_what, key) => {
    const gateway = await start(
      `export default async (app) => { app.post('/get', () => app.gateway.entity('User', ${JSON.stringify(key)}).get()) }`,
    )
    const answer = await callerOf(gateway.url)('POST', '/get')
    expectProblem(answer, 400, 'invalid_key', 'not_sent')
    expect(answer.body).toMatchObject({ errors: [{ pointer: '#/key' }] })
  })

  it('has strict bodies', async () => {
    const gateway = await start(`export default async (app) => {
      const body = { type: 'object', properties: { points: { type: 'integer' } }, required: ['points'], additionalProperties: false }
      app.post('/points', { schema: { body } }, ({ body: { points } }) => ({ points }))
    }`)
    const call = callerOf(gateway.url)
    expect((await call('POST', '/points', { points: 1 })).body).toEqual({ points: 1 })
    expectProblem(await call('POST', '/points', { points: '1' }), 400, 'validation_failed', 'not_sent')
    expectProblem(await call('POST', '/points', { points: 1, more: true }), 400, 'validation_failed', 'not_sent')
  })

  it('refuses numbers in its query that would lose digits', async () => {
    const gateway = await start(`export default async (app) => {
      const querystring = { type: 'object', properties: { points: { type: 'integer' }, share: { type: 'number' } } }
      app.get('/points', { schema: { querystring } }, ({ query }) => query)
    }`)
    const call = callerOf(gateway.url)
    expect((await call('GET', '/points?points=9007199254740991&share=1e300')).body).toEqual({
      points: 9007199254740991,
      share: 1e300,
    })
    const answer = await call('GET', '/points?points=9007199254740993&share=1e400')
    expectProblem(answer, 400, 'validation_failed', 'not_sent')
    const detail = 'must be number that a double can hold'
    expect(answer.body).toMatchObject({
      errors: [
        { pointer: '#/query/points', detail },
        { pointer: '#/query/share', detail },
      ],
    })
  })

  it.each([
    ['with', "{ type: 'object', properties: { points: { type: 'integer' } } }"],
    ['without', 'undefined'],
  ])('keeps the digits of what entities answer, %s a schema of the answer', async (_what, answer) => {
    const gateway = await start(`export default async (app) => {
      const response = ${answer} === undefined ? {} : { 200: ${answer} }
      app.post('/points', { schema: { response } }, async ({ body: { points } }) => {
        const key = await app.gateway.create('User', { username: 'digits' })
        return { points: await app.gateway.entity('User', key).call('add_points', { points }) }
      })
    }`)
    const headers = { 'content-type': 'application/json' }
    const body = '{"points":9007199254740993}'
    const response = await fetch(`${gateway.url}/points`, { method: 'POST', headers, body })
    expect(await response.text()).toBe(body)
  })
})
