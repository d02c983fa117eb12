import fastify, { type FastifyRequest } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { registerAccess } from '../../../src/gateway/access/access.ts'
import { newApiKey } from '../../../src/gateway/access/api-keys.ts'
import { nobody } from '../../../src/gateway/access/caller.ts'
import { checkOwner, type Need } from '../../../src/gateway/access/need.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { buildGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/gateway.ts'
import { openBatch } from '../../helpers/batch-client.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'
import { invocationOf } from '../../simulation/entity.ts'

const folder = createTemporaryFolder()
const gateways: Gateway[] = []
afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})

const reader = newApiKey('reader', ['user:read'])
const writer = newApiKey('writer', ['user:read', 'user:write'])
const operator = newApiKey('operator', ['gateway:manage'])
const keys = { GATEWAY_API_KEYS: [reader, writer, operator].map(({ entry }) => entry).join('\n') }

async function start(
  overrides: object,
  env: Readonly<Record<string, string>> = {},
  options: Partial<GatewayOptions> = {},
): Promise<Gateway> {
  const file = folder.write(`overrides-${Math.random()}.json`, overrides)
  const { config } = readConfig({ env: { ...keys, GATEWAY_OVERRIDES: file, ...env }, argv: [] })
  const gateway = await buildGateway({ config, ...options })
  gateways.push(gateway)
  return gateway
}

async function status({ app }: Gateway, request: string, key?: string, payload?: object): Promise<number> {
  const [method, url] = request.split(' ')
  const headers = key === undefined ? {} : { 'x-api-key': key }
  // One of our own verbs.
  const answer = await app.inject({ method: method as 'GET', url: url ?? '', headers, ...(payload && { payload }) })
  return answer.statusCode
}

describe('rules', () => {
  it('of an entity hold for its methods, attributes and creation, unless these have their own', async () => {
    const gateway = await start({
      User: { scopes: ['user:write'], read: { scopes: ['user:read'] } },
      'User.get_balance': { public: true },
    })
    expect(await status(gateway, 'POST /user', reader.key, { username: 'a' })).toBe(403)
    expect(await status(gateway, 'POST /user', writer.key, { username: 'a' })).toBe(201)
    expect(await status(gateway, 'POST /user/a/get_balance')).toBe(200)
    expect(await status(gateway, 'POST /user/a/update_balance', reader.key, { x: 1 })).toBe(403)
    expect(await status(gateway, 'GET /user/a/balance', reader.key)).toBe(200)
    expect(await status(gateway, 'GET /user/a')).toBe(401)
    expect(await status(gateway, 'HEAD /user/a')).toBe(401)
    expect(await status(gateway, 'HEAD /user/a', reader.key)).toBe(200)
    expect(await status(gateway, 'POST /item', undefined, { item_name: 'x', price: 1 })).toBe(201)
  })

  it('of one attribute hold for the whole state, which shows it', async () => {
    const gateway = await start({ 'User.balance': { scopes: ['user:write'] } })
    await status(gateway, 'POST /user', undefined, { username: 'a' })
    expect(await status(gateway, 'GET /user/a/username')).toBe(200)
    expect(await status(gateway, 'GET /user/a/balance', reader.key)).toBe(403)
    expect(await status(gateway, 'GET /user/a', reader.key)).toBe(403)
    expect(await status(gateway, 'GET /user/a', writer.key)).toBe(200)
  })

  it('are refused where they contradict themselves or stand in the wrong place', async () => {
    await expect(start({ User: { public: true, scopes: ['a'] } })).rejects.toThrow('"public" excludes')
    await expect(start({ User: { read: { public: true, owner: true } } })).rejects.toThrow('"public" excludes')
    await expect(start({ 'User.balance': { read: { public: true } } })).rejects.toThrow('said of an entity')
    await expect(start({ User: { scope: ['a'] } })).rejects.toThrow('unknown member "scope"')
  })

  it('need somebody who can show who he is', async () => {
    const file = folder.write('alone.json', { 'User.buy_item': { scopes: ['buy'] } })
    const { config } = readConfig({ env: { GATEWAY_OVERRIDES: file }, argv: [] })
    await expect(buildGateway({ config })).rejects.toThrow('POST /user/:key/buy_item is for certain callers')
  })

  it('decide alone in the mode "deny"; what they take back opens nothing', async () => {
    const gateway = await start(
      { User: { scopes: ['user:read'] }, 'User.buy_item': { owner: true }, Item: { public: false, owner: false } },
      { GATEWAY_ACCESS: 'deny' },
    )
    expect(await status(gateway, 'GET /user/a', reader.key)).toBe(404)
    expect(await status(gateway, 'GET /item/a', writer.key)).toBe(403)
    expect(await status(gateway, 'GET /item/a')).toBe(401)
    const document = await gateway.app.inject({ url: '/openapi.json', headers: { 'x-api-key': writer.key } })
    expect(Object.keys(document.json().paths).filter((path) => path.startsWith('/item'))).toEqual([])
  })
})

describe('owners', () => {
  const need: Need = { kind: 'caller', scopes: [], owners: [true] }
  const byClaim: Need = { kind: 'caller', scopes: [], owners: ['account'] }
  const caller = (subject: string, account?: unknown) => ({
    ...nobody,
    kind: 'jwt' as const,
    subject,
    claims: { account },
  })

  it.each<[unknown, unknown, boolean]>([
    ['7', '7', true],
    [7, 7, true],
    ['7', 7, true],
    ['9007199254740993', 'the integer 9007199254740993', true],
    [9007199254740992, 'the integer 9007199254740992', false],
    ['007', 7, false],
    ['7 ', 7, false],
    [7, '7', false],
    [['a'], 'a', false],
    [undefined, 'undefined', false],
    [null, 'null', false],
    [true, 'true', false],
  ])('by the claim %j own the key %j: %s', (claim, key, isOwn) => {
    // A `bigint` can't stand in a table of tests.
    const digits = /^the integer (\d+)$/.exec(String(key))?.[1]
    const check = () => checkOwner(byClaim, caller('x', claim), digits === undefined ? key : BigInt(digits))
    if (isOwn) expect(check).not.toThrow()
    else expect(check).toThrow('not the caller’s')
  })

  it('are named by members of the token itself, not of every object', () => {
    const inherited: Need = { kind: 'caller', scopes: [], owners: ['constructor'] }
    expect(() => checkOwner(inherited, caller('x'), 'Object')).toThrow()
    expect(() => checkOwner(need, { ...nobody, subject: undefined }, undefined)).toThrow()
  })

  it('are asked for by what is done, not by what was done before with the same entity', async () => {
    const env = { GATEWAY_PROXY_IDENTITY_HEADER: 'X-Client', GATEWAY_TRUSTED_PROXIES: '127.0.0.1' }
    const { app } = await start({ User: { owner: true, create: { public: true } } }, env)
    const headers = { 'x-client': 'alice' }
    const statusOf = async (url: string) => (await app.inject({ url, headers })).statusCode
    for (const username of ['alice', 'bob']) {
      const created = await app.inject({ method: 'POST', url: '/user', headers, payload: { username } })
      expect(created.statusCode).toBe(201)
    }
    expect([await statusOf('/user/alice'), await statusOf('/user/bob')]).toEqual([200, 403])
    expect([await statusOf('/user/alice/balance'), await statusOf('/user/bob/balance')]).toEqual([200, 403])
  })
})

describe('custom routes', () => {
  const routes: GatewayOptions['routes'] = [
    async (app) => {
      app.get('/plain', (request) => ({ principal: request.caller.principal }))
      app.get('/for-all', { config: { access: { public: true } } }, () => ({}))
      app.get('/for-callers', { config: { access: {} } }, () => ({}))
      app.get('/for-callers-too', { config: { access: { public: false } } }, () => ({}))
      app.get('/for-writers', { config: { access: { scopes: ['user:write'] } } }, () => ({}))
    },
  ]

  it('stand under the same default, and have rules of their own', async () => {
    const gateway = await start({}, { GATEWAY_ACCESS: 'authenticated' }, { routes })
    expect(await status(gateway, 'GET /plain')).toBe(401)
    const named = await gateway.app.inject({ url: '/plain', headers: { 'x-api-key': reader.key } })
    expect(named.json()).toEqual({ principal: 'key:reader' })
    expect(await status(gateway, 'GET /for-all')).toBe(200)
    expect(await status(gateway, 'GET /for-all', 'sfg_wrong')).toBe(401)
    expect(await status(gateway, 'GET /for-writers', reader.key)).toBe(403)
    expect(await status(gateway, 'GET /for-writers', writer.key)).toBe(200)
  })

  it('that say anything but "public" are for callers, where all else is open too', async () => {
    const gateway = await start({}, {}, { routes })
    expect(await status(gateway, 'GET /plain')).toBe(200)
    for (const path of ['/for-callers', '/for-callers-too', '/for-writers']) {
      expect(await status(gateway, `GET ${path}`), path).toBe(401)
      expect(await status(gateway, `GET ${path}`, writer.key), path).toBe(200)
    }
  })

  it('know who calls, and have refused whom they must, before their own hooks', async () => {
    const seen: string[] = []
    const hooked: GatewayOptions['routes'] = [
      async (app) => {
        const onRequest = async ({ caller }: FastifyRequest) => void seen.push(caller.principal)
        app.get('/hooked', { onRequest, config: { access: { scopes: ['user:write'] } } }, () => ({}))
      },
    ]
    const gateway = await start({}, {}, { routes: hooked })
    expect(await status(gateway, 'GET /hooked')).toBe(401)
    expect(await status(gateway, 'GET /hooked', reader.key)).toBe(403)
    expect(await status(gateway, 'GET /hooked', writer.key)).toBe(200)
    expect(seen).toEqual(['key:writer'])
  })

  it.each([
    { scope: ['a'] },
    { public: 'yes' },
    { scopes: 'a' },
    { scopes: [''] },
    { scopes: [1] },
    { public: true, scopes: ['a'] },
  ])('stop the start with the rule %j', async (access) => {
    // What a plugin in JavaScript may say, whatever the types are.
    const wrong = async (app: Gateway['app']) =>
      void app.get('/x', { config: { access: access as object } }, () => ({}))
    await expect(start({}, {}, { routes: [wrong] })).rejects.toThrow('/x: "config.access"')
  })
})

describe('a request that outlasts its token', () => {
  it.each(['open', 'authenticated'])('makes no more calls, in the mode %s too', async (mode) => {
    const app = fastify()
    const { authorize } = registerAccess(app, {
      access: readConfig({ env: { GATEWAY_ACCESS: mode }, argv: [] }).config.access,
      authentication: { schemes: ['bearer'], callerOf: () => nobody, reread: () => {} },
      isServing: true,
    })
    const callUntil = (expiresAtMs: number) => () => {
      const caller = { ...nobody, kind: 'jwt' as const, subject: 'alice', expiresAtMs }
      // Nothing else of the request is looked at.
      authorize?.({ caller } as FastifyRequest, invocationOf('1', 1, 0))
    }
    expect(callUntil(Date.now() + 60_000)).not.toThrow()
    expect(callUntil(Date.now() - 1)).toThrow('The token has expired.')
    await app.close()
  })
})

describe('an answer', () => {
  it('is kept by no cache for others where its caller is known or must be', async () => {
    const { app } = await start({ User: { scopes: ['user:read'] } })
    const cacheControl = async (url: string, key?: string) =>
      (await app.inject({ url, headers: key === undefined ? {} : { 'x-api-key': key } })).headers['cache-control']
    expect(await cacheControl('/user/a', reader.key)).toBe('private, no-cache')
    expect(await cacheControl('/item/a', reader.key)).toBe('private, no-cache')
    expect(await cacheControl('/user/a')).toBe('private, no-cache')
    expect(await cacheControl('/item/a')).toBe('no-cache')
  })
})

describe('the document', () => {
  it('shows each caller what he may call, and how', async () => {
    const gateway = await start(
      { User: { scopes: ['user:read'], create: { public: true } } },
      { GATEWAY_ACCESS: 'authenticated' },
    )
    const read = async (key?: string) => {
      const answer = await gateway.app.inject({
        url: '/openapi.json',
        headers: key === undefined ? {} : { 'x-api-key': key },
      })
      return { etag: answer.headers.etag, document: answer.json() }
    }
    const [open, all, other] = [await read(), await read(reader.key), await read(operator.key)]
    expect(Object.keys(open.document.paths)).toContain('/user')
    expect(Object.keys(open.document.paths)).not.toContain('/user/{key}/buy_item')
    expect(all.document.paths['/user/{key}/buy_item'].post).toMatchObject({
      security: [{ apiKey: ['user:read'] }],
      responses: { 401: expect.anything(), 403: expect.anything() },
    })
    expect(all.document.components.securitySchemes).toHaveProperty('apiKey')
    expect(Object.keys(other.document.paths)).toContain('/-/entities')
    expect(Object.keys(other.document.paths)).not.toContain('/user/{key}/buy_item')
    expect(other.document.tags.map(({ name }: { name: string }) => name)).toContain('Item')
    expect(new Set([open.etag, all.etag, other.etag]).size).toBe(3)
    expect((await read(writer.key)).etag).toBe(all.etag)
  })

  it('has no word of access where everybody is the same caller', async () => {
    const gateway = await buildGateway({ config: readConfig({ env: {}, argv: [] }).config })
    gateways.push(gateway)
    expect(JSON.stringify(gateway.app.swagger())).not.toMatch(/"security|securitySchemes|"401"|"403"/)
  })
})

describe('the gateway’s own routes', () => {
  it.each(['authenticated', 'deny'])('are for whom they must be in the mode %s', async (mode) => {
    const gateway = await start({}, { GATEWAY_ACCESS: mode })
    const open = ['/-/livez', '/-/readyz', '/-/problems/unauthenticated', '/docs', '/docs/static/index.css']
    for (const path of [...open, '/openapi.json', '/openapi.yaml', '/docs/json', '/docs/yaml']) {
      expect(await status(gateway, `GET ${path}`), path).toBeLessThan(400)
    }
    for (const path of ['', '/result', '/events'])
      expect(await status(gateway, `GET /-/invocations/x${path}`)).toBe(404)
    for (const path of ['/-/entities', '/-/metrics', '/-/readyz?verbose']) {
      const statuses = [undefined, reader, operator].map((caller) => status(gateway, `GET ${path}`, caller?.key))
      expect(await Promise.all(statuses), path).toEqual([401, 403, 200])
    }
    expect(await status(gateway, 'GET /no/such/path')).toBe(401)
    expect(await status(gateway, 'GET /no/such/path', reader.key)).toBe(404)
    const [url = ''] = await gateway.listen({ host: '127.0.0.1', port: 0 })
    const batches = await Promise.all([openBatch(url), openBatch(url, { 'x-api-key': reader.key })])
    expect(batches.map(({ response }) => response.statusCode)).toEqual([401, 200])
    for (const batch of batches) await batch.finish()
  })

  it('are for everybody in the mode open', async () => {
    const gateway = await start({})
    for (const path of ['/-/entities', '/-/metrics', '/-/readyz?verbose']) {
      expect(await status(gateway, `GET ${path}`), path).toBe(200)
    }
  })
})

describe('a hint', () => {
  it('names an entity to whom may do anything with it, be it only to create one', async () => {
    const { app } = await start({
      User: { scopes: ['user:write'], create: { public: true } },
      Item: { scopes: ['user:write'], read: { scopes: ['user:read'] } },
    })
    const hintFor = async (url: string, key?: string) =>
      (await app.inject({ url, headers: key === undefined ? {} : { 'x-api-key': key } })).json().hint
    expect(await hintFor('/usr/a')).toBe('Did you mean "user"?')
    expect(await hintFor('/itm/a')).toBeUndefined()
    expect(await hintFor('/itm/a', reader.key)).toBe('Did you mean "item"?')
  })
})

describe('the management port', () => {
  it('has what operators ask, without credentials, and the public port has it no longer', async () => {
    const gateway = await start({}, { GATEWAY_ACCESS: 'authenticated', MANAGEMENT_PORT: '0' })
    const { app, management } = gateway
    for (const url of ['/-/livez', '/-/readyz', '/-/readyz?verbose', '/-/entities', '/-/metrics']) {
      expect((await management?.inject(url))?.statusCode, url).toBe(200)
    }
    expect((await management?.inject('/-/readyz?verbose'))?.json()).toHaveProperty('checks')
    expect((await management?.inject('/user/a'))?.statusCode).toBe(404)
    const headers = { 'x-api-key': operator.key }
    for (const url of ['/-/entities', '/-/metrics'])
      expect((await app.inject({ url, headers })).statusCode, url).toBe(404)
    expect((await app.inject('/-/livez')).statusCode).toBe(200)
    expect((await app.inject('/-/readyz?verbose')).json()).toEqual({ status: 'ready' })
  })
})

describe('headers for browsers', () => {
  it('are strict for data, let the docs page work, and never ask for HTTPS by themselves', async () => {
    const { app } = await start({})
    for (const url of ['/user/a', '/docs', '/docs/static/index.css', '/-/livez', '/docsearch']) {
      const { headers } = await app.inject(url)
      expect(headers['x-content-type-options'], url).toBe('nosniff')
      expect(headers['content-security-policy'], url).toContain("frame-ancestors 'none'")
      expect(headers['content-security-policy'], url).not.toMatch(/upgrade-insecure-requests|https:/)
      expect(headers['content-security-policy']?.toString().includes("script-src 'self'"), url).toBe(
        /^\/docs(\/|$)/.test(url),
      )
      expect(headers, url).not.toHaveProperty('strict-transport-security')
    }
    const secured = await start({}, { GATEWAY_HSTS_SECONDS: '60' })
    expect((await secured.app.inject('/-/livez')).headers['strict-transport-security']).toBe('max-age=60')
  })
})

describe('a secret in a file', () => {
  it('is read for every secret setting, without its last line break', () => {
    const file = folder.write('secret', 'pass word\n')
    const { config } = readConfig({ env: { KAFKA_SASL_PASSWORD_FILE: file }, argv: [] })
    expect(config.kafka.saslPassword).toBe('pass word')
  })

  it('is refused when it is not there, or beside the variable', () => {
    const absent = { KAFKA_SASL_PASSWORD_FILE: '/no/such' }
    expect(() => readConfig({ env: absent, argv: [] })).toThrow('KAFKA_SASL_PASSWORD_FILE')
    const env = { KAFKA_SASL_PASSWORD_FILE: folder.write('password', 'x'), KAFKA_SASL_PASSWORD: 'y' }
    expect(() => readConfig({ env, argv: [] })).toThrow('exclude each other')
  })
})
