import { errors } from 'jose'
import { afterEach, describe, expect, it } from 'vitest'
import { createApiKeyCheck, newApiKey } from '../../../src/gateway/access/api-keys.ts'
import { createTokenVerifier } from '../../../src/gateway/access/bearer-token.ts'
import type { KeySet } from '../../../src/gateway/access/key-set.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { buildGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/gateway.ts'
import { openBatch } from '../../helpers/batch-client.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'
import { unique } from '../../helpers/unique.ts'
import { until } from '../../helpers/until.ts'
import { ISSUER, type Issuer, jwksOf, newKey, startIssuer, tokenBy } from './token-app.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(
  env: Readonly<Record<string, string>>,
  lines?: string[],
  routes: GatewayOptions['routes'] = [],
): Promise<Gateway> {
  const stream = { write: (line: string) => void lines?.push(line) }
  const logger = lines === undefined ? {} : { logger: { level: 'warn', stream } }
  const gateway = await buildGateway({ config: readConfig({ env, argv: [] }).config, routes, ...logger })
  closing.push(() => gateway.close())
  return gateway
}

function folder(): TemporaryFolder {
  const made = createTemporaryFolder()
  closing.push(() => made.close())
  return made
}

async function issuer(first: object | string | undefined): Promise<Issuer> {
  const made = await startIssuer(first)
  closing.push(() => made.close())
  return made
}

const jwt = { GATEWAY_ACCESS: 'authenticated', GATEWAY_JWT_ISSUER: ISSUER, GATEWAY_JWT_AUDIENCE: 'shop,other' }

/** The status of a read that needs any caller: 404 when he was let in, since there is no such user. */
async function statusFor({ app }: Gateway, headers: Readonly<Record<string, string>>): Promise<number> {
  return (await app.inject({ url: '/user/nobody-there', headers })).statusCode
}

const LET_IN = 404
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

describe('bearer tokens with keys by URL', () => {
  it('are checked with keys that are fetched once', async () => {
    const key = newKey('one')
    const { url, asked } = await issuer(jwksOf(key))
    const gateway = await start({ ...jwt, GATEWAY_JWKS_URL: url })
    const token = await tokenBy(key)
    expect(await statusFor(gateway, bearer(token))).toBe(LET_IN)
    expect(await statusFor(gateway, bearer(token))).toBe(LET_IN)
    expect(await statusFor(gateway, bearer(await tokenBy(key, { sub: 'bob' })))).toBe(LET_IN)
    expect(asked()).toBe(1)
  })

  it('are answered by 503 while the issuer is away, and taken when it is back', async () => {
    const key = newKey('one')
    const away = await issuer(undefined)
    const gateway = await start({ ...jwt, GATEWAY_JWKS_URL: away.url, GATEWAY_JWKS_COOLDOWN_MS: '1' })
    const token = await tokenBy(key)
    const refused = await gateway.app.inject({ url: '/user/x', headers: bearer(token) })
    expect(refused.statusCode).toBe(503)
    expect(refused.headers['retry-after']).toBe('1')
    expect(refused.json()).toMatchObject({ code: 'keys_unavailable', outcome: 'not_sent' })
    expect((await gateway.app.inject('/user/x')).statusCode).toBe(401)
    expect((await gateway.app.inject('/-/livez')).statusCode).toBe(200)
    away.publish(jwksOf(key))
    await expect.poll(() => statusFor(gateway, bearer(token))).toBe(LET_IN)
  })

  it('are taken after a key rotation, and no longer when their key is gone', async () => {
    const [old, fresh] = [newKey('old'), newKey('new')]
    const { url, publish } = await issuer(jwksOf(old))
    const gateway = await start({ ...jwt, GATEWAY_JWKS_URL: url, GATEWAY_JWKS_COOLDOWN_MS: '1' })
    const oldToken = await tokenBy(old)
    expect(await statusFor(gateway, bearer(oldToken))).toBe(LET_IN)
    publish(jwksOf(fresh))
    await expect.poll(async () => statusFor(gateway, bearer(await tokenBy(fresh)))).toBe(LET_IN)
    expect(await statusFor(gateway, bearer(oldToken))).toBe(401)
  })

  it('that name unknown keys make one fetch a cooldown', async () => {
    const key = newKey('one')
    const { url, asked } = await issuer(jwksOf(key))
    const gateway = await start({ ...jwt, GATEWAY_JWKS_URL: url, GATEWAY_JWKS_COOLDOWN_MS: '60000' })
    expect(await statusFor(gateway, bearer(await tokenBy(key)))).toBe(LET_IN)
    for (let index = 0; index < 20; index++) {
      expect(await statusFor(gateway, bearer(await tokenBy(newKey(`unknown-${index}`))))).toBe(401)
    }
    expect(asked()).toBe(1)
  })

  it('are not checked with private, shared or endless keys', async () => {
    const key = newKey('one')
    const leaked = { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: 'one' }] }
    const endless = `${JSON.stringify(jwksOf(key))}${' '.repeat(300_000)}`
    for (const body of [leaked, { keys: [{ kty: 'oct', k: 'AAAA', kid: 'one' }] }, '{}', endless]) {
      const { url } = await issuer(body)
      const gateway = await start({ ...jwt, GATEWAY_JWKS_URL: url })
      expect(await statusFor(gateway, bearer(await tokenBy(key)))).toBe(503)
    }
  })
})

describe('bearer tokens', () => {
  it('must have the configured type, where there is one', async () => {
    const key = newKey('one')
    const env = { ...jwt, GATEWAY_JWKS_FILE: folder().write('jwks.json', jwksOf(key)) }
    const gateway = await start({ ...env, GATEWAY_JWT_TYPE: 'at+jwt' })
    expect(await statusFor(gateway, bearer(await tokenBy(key)))).toBe(401)
  })

  it('are signed by a listed algorithm, also where their key would do for others', async () => {
    const key = newKey('one')
    const anyAlgorithm = { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'one' }] }
    const env = { ...jwt, GATEWAY_JWKS_FILE: folder().write('jwks.json', anyAlgorithm) }
    const token = await tokenBy(key)
    expect(await statusFor(await start(env), bearer(token))).toBe(LET_IN)
    expect(await statusFor(await start({ ...env, GATEWAY_JWT_ALGORITHMS: 'RS256,EdDSA' }), bearer(token))).toBe(401)
  })

  it('name their caller and what he may in the configured claims', async () => {
    const key = newKey('one')
    const env = {
      ...{ ...jwt, GATEWAY_JWKS_FILE: folder().write('jwks.json', jwksOf(key)) },
      ...{ GATEWAY_JWT_PRINCIPAL_CLAIM: 'client_id', GATEWAY_JWT_SCOPES_CLAIM: 'permissions' },
    }
    const gateway = await start(env, undefined, [
      async (app) => void app.get('/me', ({ caller }) => ({ ...caller, scopes: [...caller.scopes] })),
    ])
    const claims = { client_id: 'till', permissions: ['sell'], scope: 'admin' }
    const answer = await gateway.app.inject({ url: '/me', headers: bearer(await tokenBy(key, claims)) })
    expect(answer.json()).toMatchObject({ principal: `jwt:${ISSUER}|till`, subject: 'till', scopes: ['sell'] })
    expect(await statusFor(gateway, bearer(await tokenBy(key)))).toBe(401)
  })

  it('that are being checked while their key goes are not remembered', async () => {
    const key = newKey('one')
    let known = [key]
    let edition = 0
    const keys: KeySet = {
      keyFor: async () => {
        const [first] = known
        if (first === undefined) throw new errors.JWKSNoMatchingKey()
        known = []
        edition++
        // Another's, by which what was remembered until now is forgotten.
        await Promise.resolve(verify('a.b.c')).catch(() => undefined)
        return first.publicKey
      },
      get edition() {
        return edition
      },
    }
    const { access } = readConfig({ env: jwt, argv: [] }).config
    const verify = createTokenVerifier({ jwt: access.jwt, issuer: ISSUER, keys })
    const token = await tokenBy(key)
    expect((await verify(token)).principal).toBe(`jwt:${ISSUER}|alice`)
    await expect(verify(token)).rejects.toThrow('signed by no known key')
  })

  it('may be late by the clock skew, and no longer', async () => {
    const key = newKey('one')
    const env = { ...jwt, GATEWAY_JWKS_FILE: folder().write('jwks.json', jwksOf(key)) }
    const gateway = await start({ ...env, GATEWAY_JWT_CLOCK_SKEW_MS: '20000' })
    const now = Math.floor(Date.now() / 1_000)
    expect(await statusFor(gateway, bearer(await tokenBy(key, { nbf: now + 10 })))).toBe(LET_IN)
    expect(await statusFor(gateway, bearer(await tokenBy(key, { nbf: now + 40 })))).toBe(401)
    expect(await statusFor(gateway, bearer(await tokenBy(key, { exp: now - 10 })))).toBe(LET_IN)
    expect(await statusFor(gateway, bearer(await tokenBy(key, { exp: now - 40 })))).toBe(401)
  })

  it.each([
    ['text', 'user:read item:read', 200],
    ['a list', ['item:read', 'user:read'], 200],
    ['text with less', 'item:read', 403],
    ['a number', 7, 403],
    ['text that only holds the name', 'xuser:read', 403],
  ])('carry scopes as %s: %j', async (_what, scope, status) => {
    const key = newKey('one')
    const files = folder()
    const gateway = await start({
      ...jwt,
      GATEWAY_JWKS_FILE: files.write('jwks.json', jwksOf(key)),
      GATEWAY_OVERRIDES: files.write('overrides.json', { User: { scopes: ['user:read'], create: { public: true } } }),
    })
    await gateway.app.inject({ method: 'POST', url: '/user', payload: { username: 'alice' } })
    const answer = await gateway.app.inject({ url: '/user/alice', headers: bearer(await tokenBy(key, { scope })) })
    expect(answer.statusCode).toBe(status)
    if (status === 403) {
      expect(answer.headers['www-authenticate']).toBe(
        'Bearer realm="stateflow-gateway", error="insufficient_scope", scope="user:read"',
      )
    }
  })
})

describe('API keys', () => {
  it('let in whom they were made for, by either header', async () => {
    const { key, entry } = newApiKey('shop', ['a:b', 'c'])
    const gateway = await start({
      GATEWAY_ACCESS: 'authenticated',
      GATEWAY_API_KEYS_FILE: folder().write('keys', entry),
    })
    expect(await statusFor(gateway, { 'x-api-key': key })).toBe(LET_IN)
    for (const scheme of ['ApiKey', 'apikey', 'APIKEY']) {
      expect(await statusFor(gateway, { authorization: `${scheme} ${key}` }), scheme).toBe(LET_IN)
    }
    const refused = await gateway.app.inject({ url: '/user/x', headers: { 'x-api-key': 'sfg_shop_x' } })
    expect(refused.headers['www-authenticate']).toBe('ApiKey realm="stateflow-gateway"')
  })

  it('are known by their hash, with their scopes, and two may be one caller', () => {
    const [one, two] = [newApiKey('shop', ['a:b', 'c']), newApiKey('shop', [])]
    expect(one.entry).not.toContain(one.key)
    const check = createApiKeyCheck(`# first\n${one.entry}\n${two.entry},other:${'0'.repeat(64)}:\n`)
    expect([...check(one.key).scopes]).toEqual(['a:b', 'c'])
    expect([check(one.key).principal, check(two.key).principal]).toEqual(['key:shop', 'key:shop'])
    expect(() => check(one.key.replace('shop', 'other'))).toThrow('not known')
  })

  it.each(['', 'shop', 'shop:abc:x', `Shop:${'0'.repeat(64)}:`, `shop:${'0'.repeat(64)}:a"b`])(
    'stop the start when an entry is wrong, without repeating it: %j',
    (entry) => {
      expect(() => createApiKeyCheck(entry)).toThrow(/^GATEWAY_API_KEYS: (entry 1 is not|there is no entry)/)
    },
  )
})

describe('files with keys', () => {
  it('are read again at a reload: an API key that is gone lets nobody in, a new one its caller', async () => {
    const [old, fresh] = [newApiKey('shop', []), newApiKey('shop', [])]
    const files = folder()
    const env = { GATEWAY_ACCESS: 'authenticated', GATEWAY_API_KEYS_FILE: files.write('keys', old.entry) }
    const gateway = await start(env)
    expect(await statusFor(gateway, { 'x-api-key': old.key })).toBe(LET_IN)
    expect(await statusFor(gateway, { 'x-api-key': fresh.key })).toBe(401)
    files.write('keys', fresh.entry)
    await gateway.reload()
    expect(await statusFor(gateway, { 'x-api-key': old.key })).toBe(401)
    expect(await statusFor(gateway, { 'x-api-key': fresh.key })).toBe(LET_IN)
  })

  it('take the tokens of an issuer’s key with them that is gone, those that were checked before too', async () => {
    const [old, fresh] = [newKey('one'), newKey('two')]
    const files = folder()
    const gateway = await start({ ...jwt, GATEWAY_JWKS_FILE: files.write('jwks.json', jwksOf(old)) })
    const token = await tokenBy(old)
    expect(await statusFor(gateway, bearer(token))).toBe(LET_IN)
    files.write('jwks.json', jwksOf(fresh))
    await gateway.reload()
    expect(await statusFor(gateway, bearer(token))).toBe(401)
    expect(await statusFor(gateway, bearer(await tokenBy(fresh)))).toBe(LET_IN)
  })

  it('end a batch that came with a key which is gone: its next line is refused, another caller’s is not', async () => {
    const [leaving, staying] = [newApiKey('leaving', []), newApiKey('staying', [])]
    const [old, fresh] = [newKey('one'), newKey('two')]
    const files = folder()
    const gateway = await start({
      ...{ ...jwt, GATEWAY_JWKS_FILE: files.write('jwks.json', jwksOf(old, fresh)) },
      GATEWAY_API_KEYS_FILE: files.write('keys', `${leaving.entry}\n${staying.entry}`),
    })
    const credentials = [
      { 'x-api-key': leaving.key },
      { 'x-api-key': staying.key },
      bearer(await tokenBy(old)),
      bearer(await tokenBy(fresh)),
    ]
    const [url = ''] = await gateway.listen({ host: '127.0.0.1', port: 0 })
    const batches = await Promise.all(credentials.map((headers) => openBatch(url, headers)))
    const statuses = () =>
      Promise.all(
        batches.map(async (batch) => {
          batch.send({ entity: 'user', method: 'create', args: { username: unique('user') } })
          return (await batch.next()).status
        }),
      )
    expect(await statuses()).toEqual([201, 201, 201, 201])
    files.write('keys', staying.entry)
    files.write('jwks.json', jwksOf(fresh))
    await gateway.reload()
    expect(await statuses()).toEqual([401, 201, 401, 201])
    await Promise.all(batches.map((batch) => batch.finish()))
  })

  it('take from a batch what its caller may no longer, though his key stays', async () => {
    const { key, entry } = newApiKey('shop', ['user:create'])
    const files = folder()
    const gateway = await start({
      GATEWAY_API_KEYS_FILE: files.write('keys', entry),
      GATEWAY_OVERRIDES: files.write('overrides.json', { User: { create: { scopes: ['user:create'] } } }),
    })
    const [url = ''] = await gateway.listen({ host: '127.0.0.1', port: 0 })
    const batch = await openBatch(url, { 'x-api-key': key })
    const status = async () => {
      batch.send({ entity: 'user', method: 'create', args: { username: unique('user') } })
      return (await batch.next()).status
    }
    expect(await status()).toBe(201)
    files.write('keys', entry.replace('user:create', 'user:read'))
    await gateway.reload()
    expect(await status()).toBe(403)
    await batch.finish()
  })

  it.each([
    ['of API keys', 'keys', 'not an entry'],
    ['of an issuer', 'jwks.json', '{"keys":[]}'],
  ])('that can’t be read leave all as it was, and the reload says so: %s', async (_what, name, text) => {
    const [apiKey, key] = [newApiKey('shop', []), newKey('one')]
    const files = folder()
    const env = { ...jwt, GATEWAY_JWKS_FILE: files.write('jwks.json', jwksOf(key)) }
    const gateway = await start({ ...env, GATEWAY_API_KEYS_FILE: files.write('keys', apiKey.entry) })
    files.write('keys', newApiKey('other', []).entry)
    files.write('jwks.json', jwksOf(newKey('two')))
    files.write(name, text)
    expect(await gateway.reload()).toMatchObject({ kind: 'failed', error: { message: expect.stringContaining(name) } })
    expect(await statusFor(gateway, { 'x-api-key': apiKey.key })).toBe(LET_IN)
    expect(await statusFor(gateway, bearer(await tokenBy(key)))).toBe(LET_IN)
  })

  it('end a key also where what is read beside them is wrong', async () => {
    const [old, fresh] = [newApiKey('shop', []), newApiKey('shop', [])]
    const files = folder()
    const env = { GATEWAY_ACCESS: 'authenticated', GATEWAY_API_KEYS_FILE: files.write('keys', old.entry) }
    const gateway = await start({ ...env, GATEWAY_OVERRIDES: files.write('overrides.json', {}) })
    files.write('keys', fresh.entry)
    files.write('overrides.json', 'no JSON')
    expect((await gateway.reload()).kind).toBe('failed')
    expect(await statusFor(gateway, { 'x-api-key': old.key })).toBe(401)
  })

  it('are watched where files are', async () => {
    const [old, fresh] = [newApiKey('shop', []), newApiKey('shop', [])]
    const files = folder()
    const env = { GATEWAY_ACCESS: 'authenticated', GATEWAY_API_KEYS_FILE: files.write('keys', old.entry) }
    const gateway = await start({ ...env, GATEWAY_RELOAD: 'watch', GATEWAY_RELOAD_INTERVAL_MS: '20' })
    files.write('keys', fresh.entry)
    await until('it is taken', async () => (await statusFor(gateway, { 'x-api-key': fresh.key })) === LET_IN)
  })
})

describe('a proxy’s word', () => {
  const env = { GATEWAY_ACCESS: 'authenticated', GATEWAY_PROXY_IDENTITY_HEADER: 'X-Client' }
  const ask = async (gateway: Gateway, remoteAddress: string, headers: Readonly<Record<string, string>>) =>
    (await gateway.app.inject({ url: '/user/x', headers, remoteAddress })).statusCode

  it('is taken from listed addresses and networks only', async () => {
    const gateway = await start({ ...env, GATEWAY_TRUSTED_PROXIES: '10.1.0.0/16, 192.0.2.7, fd00::/8' })
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', 'fd12::1']) {
      expect(await ask(gateway, address, { 'x-client': 'alice' }), address).toBe(LET_IN)
      expect(await ask(gateway, address, {}), address).toBe(401)
    }
    for (const address of ['10.2.0.1', '192.0.2.8', '127.0.0.1', '::1', 'fe80::1']) {
      expect(await ask(gateway, address, { 'x-client': 'alice' }), address).toBe(401)
    }
  })

  it('counts for less than a credential of the caller’s own, good or not', async () => {
    const { key, entry } = newApiKey('shop', [])
    const gateway = await start({ ...env, GATEWAY_TRUSTED_PROXIES: '127.0.0.1', GATEWAY_API_KEYS: entry }, undefined, [
      async (app) => void app.get('/me', { config: { access: { public: true } } }, ({ caller }) => caller.principal),
    ])
    const answerTo = (headers: Readonly<Record<string, string>>) =>
      gateway.app.inject({ url: '/me', headers: { 'x-client': 'alice', ...headers } })
    expect((await answerTo({})).body).toBe('proxy:alice')
    expect((await answerTo({ 'x-api-key': key })).body).toBe('key:shop')
    for (const wrong of [{ 'x-api-key': `${key}x` }, bearer('a.b.c'), { authorization: `ApiKey ${key} ${key}` }]) {
      expect((await answerTo(wrong)).statusCode).toBe(401)
    }
  })

  it.each(['10.0.0.0/33', 'proxy.local', '10.0.0.1/8/8', '10.0.0.0/x'])(
    'stops the start with the address %s',
    async (trusted) => {
      await expect(start({ ...env, GATEWAY_TRUSTED_PROXIES: trusted })).rejects.toThrow('GATEWAY_TRUSTED_PROXIES')
    },
  )
})

describe('settings that do not fit together', () => {
  it.each<[string, Record<string, string>, string]>([
    [
      'callers wanted and no way to be one',
      { GATEWAY_ACCESS: 'authenticated' },
      'GATEWAY_ACCESS=authenticated lets nobody in',
    ],
    [
      'keys without an audience',
      { GATEWAY_JWKS_URL: 'https://x.test', GATEWAY_JWT_ISSUER: 'x' },
      'GATEWAY_JWT_AUDIENCE',
    ],
    ['keys without an issuer', { GATEWAY_JWKS_URL: 'https://x.test', GATEWAY_JWT_AUDIENCE: 'x' }, 'GATEWAY_JWT_ISSUER'],
    [
      'keys in two places',
      { ...jwt, GATEWAY_JWKS_URL: 'https://x.test', GATEWAY_JWKS_FILE: '/no/such/file' },
      'exclude each other',
    ],
    ['an audience without keys', { GATEWAY_JWT_AUDIENCE: 'x' }, 'need keys'],
    ['proxies that say nothing', { GATEWAY_TRUSTED_PROXIES: '10.0.0.1' }, 'GATEWAY_PROXY_IDENTITY_HEADER'],
    ['a proxy that says what nobody may', { GATEWAY_PROXY_SCOPES_HEADER: 'X-May' }, 'GATEWAY_PROXY_IDENTITY_HEADER'],
    ['an issuer without keys', { GATEWAY_JWT_ISSUER: 'x' }, 'need keys'],
    [
      'an identity header that anybody may send',
      { GATEWAY_PROXY_IDENTITY_HEADER: 'X-Client' },
      'GATEWAY_TRUSTED_PROXIES',
    ],
    ['keys that are not there', { ...jwt, GATEWAY_JWKS_FILE: '/no/such/file' }, 'GATEWAY_JWKS_FILE'],
    ['API keys that are not there', { GATEWAY_API_KEYS_FILE: '/no/such/file' }, 'GATEWAY_API_KEYS_FILE'],
    ['API keys in two places', { GATEWAY_API_KEYS_FILE: '/no/such/file', GATEWAY_API_KEYS: 'x' }, 'exclude each other'],
  ])('stop the start: %s', async (_what, env, message) => {
    await expect(start(env)).rejects.toThrow(message)
  })

  it.each([
    ['http://keys.test/jwks', 1],
    ['https://keys.test/jwks', 0],
    ['http://127.0.0.1:1/jwks', 0],
    ['http://localhost:1/jwks', 0],
    ['http://[::1]:1/jwks', 0],
  ])('warn of keys that others can change on their way: %s', async (url, warnings) => {
    const lines: string[] = []
    await start({ ...jwt, GATEWAY_JWKS_URL: url }, lines)
    expect(lines.filter((line) => line.includes('over plain HTTP'))).toHaveLength(warnings)
  })

  it('warn of an address that others reach and that lets in everybody', async () => {
    const lines: string[] = []
    await start({ HOST: '0.0.0.0' }, lines)
    expect(lines.join('')).toContain('everybody who reaches this address may call everything')
    const quiet: string[] = []
    await start({ HOST: '127.0.0.1' }, quiet)
    expect(quiet).toEqual([])
  })
})
