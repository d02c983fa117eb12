import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { unique } from '../helpers/unique.ts'
import {
  AUDIENCE,
  CORS_ORIGIN,
  claimsOf,
  elliptic,
  forgedToken,
  type Ground,
  hmac,
  ISSUER,
  operatorKey,
  plainKey,
  rsa,
  sendBytes,
  startGround,
  stranger,
  tokenFor,
} from './attack-ground.ts'

const reason = kafkaUnavailable()
const rs256 = { alg: 'RS256', kid: 'current' }
const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' })
const publicDer = rsa.publicKey.export({ type: 'spki', format: 'der' })
const publicJwk = JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))
const now = () => Math.floor(Date.now() / 1_000)

interface Problem {
  readonly code: string
  readonly outcome: string
}

describe.skipIf(reason !== undefined)(`attacks${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let ground: Ground
  beforeAll(async () => {
    ground = await startGround()
  }, 120_000)
  afterAll(() => ground?.close())
  afterEach(() => ground.expectNothingProduced())

  async function expectProblem(answer: Response, status: number, code: string): Promise<void> {
    const text = await answer.text()
    expect([answer.status, answer.headers.get('content-type')], text).toEqual([status, 'application/problem+json'])
    // Our own problem, whose members the next line checks.
    const problem = JSON.parse(text) as Problem
    expect(problem).toMatchObject({ code, outcome: 'not_sent' })
    expect(text).not.toMatch(/node_modules|\.[jt]s:\d|\n\s+at /)
    if (status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="[^"]+"/)
  }

  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  it.each<[string, () => Promise<string> | string]>([
    ['a token without a signature (alg=none)', () => forgedToken({ alg: 'none' }, claimsOf('alice'), () => '')],
    ['alg=None in other letters', () => forgedToken({ alg: 'nOnE', kid: 'current' }, claimsOf('alice'), () => 'AA')],
    ['alg=none with a signature', () => forgedToken({ alg: 'none', kid: 'current' }, claimsOf('alice'), hmac('x'))],
    [
      'HS256 signed with the RSA public key as PEM',
      () => forgedToken({ alg: 'HS256', kid: 'current' }, claimsOf('alice'), hmac(publicPem)),
    ],
    [
      'HS256 signed with the RSA public key as DER',
      () => forgedToken({ alg: 'HS256', kid: 'current' }, claimsOf('alice'), hmac(publicDer)),
    ],
    ['HS256 signed with the JWK', () => forgedToken({ alg: 'HS256' }, claimsOf('alice'), hmac(publicJwk))],
    ['HS256 signed with an empty secret', () => forgedToken({ alg: 'HS256' }, claimsOf('alice'), hmac(''))],
    ['an HMAC that calls itself RS256', () => forgedToken(rs256, claimsOf('alice'), hmac(publicPem))],
    ['a token that was signed by a stranger', () => tokenFor({ key: stranger.privateKey })],
    ['an unknown key id', () => tokenFor({ header: { kid: 'no-such-key' } })],
    ['a key id that is a path', () => tokenFor({ header: { kid: '../../../../dev/null' }, key: stranger.privateKey })],
    [
      'a token that brings its own key',
      () => tokenFor({ key: stranger.privateKey, header: { jwk: stranger.publicKey.export({ format: 'jwk' }) } }),
    ],
    [
      'a token that says where its key is',
      () => tokenFor({ key: stranger.privateKey, header: { jku: 'http://127.0.0.1:9/keys' } }),
    ],
    [
      'the algorithm of another key',
      () => tokenFor({ key: elliptic.privateKey, header: { alg: 'ES256', kid: 'current' } }),
    ],
    ['an algorithm that is not on the list', () => tokenFor({ header: { alg: 'RS512' } })],
    [
      'an unknown critical header',
      () => forgedToken({ ...rs256, crit: ['b64'], b64: false }, claimsOf('alice'), () => 'AA'),
    ],
    ['an expired token', () => tokenFor({ expiresIn: -5 })],
    ['a token without an end', () => tokenFor({ claims: { exp: undefined } })],
    ['an end that is text', () => tokenFor({ claims: { exp: `${now() + 600}` } })],
    ['a token that is not yet valid', () => tokenFor({ claims: { nbf: now() + 300 } })],
    ['the wrong audience', () => tokenFor({ audience: 'another-service' })],
    ['an audience that only begins like ours', () => tokenFor({ audience: `${AUDIENCE}-admin` })],
    ['the wrong issuer', () => tokenFor({ issuer: 'https://issuer.example.evil' })],
    ['an issuer with a slash more', () => tokenFor({ issuer: `${ISSUER}/` })],
    ['a token of nobody', () => tokenFor({ subject: '' })],
    ['a subject that is a list', () => tokenFor({ claims: { sub: ['alice'] } })],
    ['a subject with a line break', () => tokenFor({ subject: 'alice\r\nX-Admin: 1' })],
    ['a huge token', async () => tokenFor({ claims: { filler: 'x'.repeat(9_000) } })],
    [
      'a changed payload',
      async () =>
        (await tokenFor()).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify(claimsOf('bob'))).toString('base64url')}.`,
        ),
    ],
    [
      'a signature of another token',
      async () => `${(await tokenFor()).replace(/[^.]+$/, '')}${(await tokenFor({ subject: 'bob' })).split('.')[2]}`,
    ],
    ['no JWT at all', () => 'letmein'],
    ['five parts, as of an encrypted token', () => 'a.b.c.d.e'],
  ])('refuses %s', async (_what, token) => {
    await expectProblem(await ground.add('alice', bearer(await token())), 401, 'invalid_credentials')
  })

  it.each<[string, () => Readonly<Record<string, string>>]>([
    [
      'an API key with its last character changed',
      () => ({ 'x-api-key': `${operatorKey.key.slice(0, -1)}${operatorKey.key.endsWith('A') ? 'B' : 'A'}` }),
    ],
    ['an API key cut short', () => ({ 'x-api-key': operatorKey.key.slice(0, -1) })],
    ['an API key with one character more', () => ({ 'x-api-key': `${operatorKey.key}A` })],
    ['an API key in other letters', () => ({ 'x-api-key': operatorKey.key.toUpperCase() })],
    ['the hash of an API key', () => ({ 'x-api-key': operatorKey.entry.split(':')[1] ?? '' })],
    [
      'the secret of one API key under the id of another',
      () => ({ 'x-api-key': plainKey.key.replace('plain', 'operator') }),
    ],
    ['an API key as a bearer token', () => bearer(operatorKey.key)],
    ['an empty API key', () => ({ 'x-api-key': '' })],
    ['Basic credentials', () => ({ authorization: `Basic ${Buffer.from('alice:alice').toString('base64')}` })],
    ['a scheme without credentials', () => ({ authorization: 'Bearer' })],
  ])('does not take %s', async (_what, headers) => {
    await expectProblem(await ground.add('alice', headers()), 401, 'invalid_credentials')
  })

  it('asks who calls where nobody says', async () => {
    await expectProblem(await ground.add('alice', {}), 401, 'unauthenticated')
  })

  it('does not believe a proxy identity header from an address that is not trusted', async () => {
    await expectProblem(await ground.add('alice', { 'x-client-name': 'alice' }), 401, 'unauthenticated')
    const forwarded = { 'x-client-name': 'alice', 'x-forwarded-for': '10.9.8.7', forwarded: 'for=10.9.8.7' }
    await expectProblem(await ground.add('alice', forwarded), 401, 'unauthenticated')
  })

  it('refuses two credentials, in two headers or in one', async () => {
    const token = await tokenFor()
    await expectProblem(await ground.add('alice', { ...bearer(token), 'x-api-key': plainKey.key }), 400, 'bad_request')
    const [answer] = await sendBytes(
      ground.url,
      `POST /account/alice/add HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"amount":1}`,
    )
    expect(answer?.status).toBe(400)
  })

  it.each([
    ['another key', 'bob'],
    ['the own key in capitals', 'Alice'],
    ['the own key in percent-encoded capitals', '%41lice'],
    ['a space behind the own key', 'alice%20'],
    ['a zero byte behind the own key', 'alice%00'],
    ['a line break behind the own key', 'alice%0d%0a'],
    ['a slash behind the own key', 'alice%2f'],
    ['the own key encoded twice', '%2561lice'],
    ['the own key in wide letters', encodeURIComponent('ａｌｉｃｅ')],
    ['a letter that only looks the same', encodeURIComponent('аlice')],
    ['a zero-width letter behind the own key', encodeURIComponent('alice\u200b')],
    ['a path to somebody else', 'alice%2f..%2fbob'],
  ])('lets nobody own %s', async (_what, key) => {
    const headers = bearer(await tokenFor())
    await expectProblem(await ground.add(key, headers), 403, 'forbidden')
  })

  it('compares names without normalising them: two spellings of é are two names', async () => {
    const headers = bearer(await tokenFor({ subject: 'caf\u00e9' }))
    await expectProblem(await ground.add(encodeURIComponent('cafe\u0301'), headers), 403, 'forbidden')
  })

  it('lets no API key own what has its id', async () => {
    await expectProblem(await ground.add('plain', { 'x-api-key': plainKey.key }), 403, 'forbidden')
  })

  it('holds creations to their key, too', async () => {
    const headers = { 'content-type': 'application/json', ...bearer(await tokenFor()) }
    const answer = await fetch(`${ground.url}/account`, { method: 'POST', headers, body: '{"name":"bob"}' })
    await expectProblem(answer, 403, 'forbidden')
  })

  it('checks each line of a batch by itself, and takes no batch from nobody', async () => {
    const line = (key: string) =>
      JSON.stringify({ id: key, entity: 'account', key, method: 'add', args: { amount: 1 } })
    const created = JSON.stringify({ id: 'new', entity: 'account', method: 'create', args: { name: 'bob' } })
    const init = { method: 'POST', body: `${line('bob')}\n${line('Alice')}\n${created}\n` }
    const headers = { 'content-type': 'application/x-ndjson' }
    await expectProblem(await fetch(`${ground.url}/-/batch`, { ...init, headers }), 401, 'unauthenticated')
    const answer = await fetch(`${ground.url}/-/batch`, {
      ...init,
      headers: { ...headers, ...bearer(await tokenFor()) },
    })
    const lines = (await answer.text()).trim().split('\n')
    expect(lines).toHaveLength(3)
    for (const text of lines) expect(JSON.parse(text)).toMatchObject({ status: 403, problem: { code: 'forbidden' } })
  })

  it.each([
    ['the list of entities', '/-/entities'],
    ['the metrics', '/-/metrics'],
    ['the single checks', '/-/readyz?verbose'],
    ['the single checks by another spelling', '/-/readyz?verbose=0'],
  ])('shows %s to operators only', async (_what, path) => {
    await expectProblem(await fetch(`${ground.url}${path}`), 401, 'unauthenticated')
    await expectProblem(
      await fetch(`${ground.url}${path}`, { headers: { 'x-api-key': plainKey.key } }),
      403,
      'forbidden',
    )
    await expectProblem(
      await fetch(`${ground.url}${path}`, {
        headers: bearer(await tokenFor({ scope: ['gateway', 'gateway:managed', 'GATEWAY:MANAGE'] })),
      }),
      403,
      'forbidden',
    )
    const operator = await fetch(`${ground.url}${path}`, { headers: { 'x-api-key': operatorKey.key } })
    expect(operator.status).toBeLessThan(504)
    expect([401, 403]).not.toContain(operator.status)
  })

  it('shows nobody what he may not call', async () => {
    for (const path of ['/openapi.json', '/docs/json', '/openapi.yaml', '/docs/yaml']) {
      const text = await (await fetch(`${ground.url}${path}`)).text()
      expect(text, path).not.toMatch(/account/i)
    }
    const headers = bearer(await tokenFor())
    expect(await (await fetch(`${ground.url}/openapi.json`, { headers })).text()).toContain('/account/{key}/add')
  })

  it('says nothing of what there is to those who may not call', async () => {
    await expectProblem(await fetch(`${ground.url}/acount/alice/ad`), 401, 'unauthenticated')
    await expectProblem(await fetch(`${ground.url}/account/alice/add`, { method: 'DELETE' }), 401, 'unauthenticated')
  })

  it('hides an invocation from everybody but its caller', async () => {
    ground.rightful.push(3)
    const alice = bearer(await tokenFor())
    const sent = await fetch(`${ground.url}/account/pot/tip`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'respond-async', ...alice },
      body: '{"amount":3}',
    })
    expect(sent.status).toBe(202)
    const path = sent.headers.get('location') ?? ''
    const impostor = bearer(await tokenFor({ subject: 'bob', claims: { name: 'alice', preferred_username: 'alice' } }))
    for (const suffix of ['', '/result', '/events']) {
      for (const headers of [impostor, { 'x-api-key': operatorKey.key }, {}]) {
        const answer = await fetch(`${ground.url}${path}${suffix}`, { headers })
        await expectProblem(answer, 404, 'invocation_not_found')
      }
    }
    expect((await fetch(`${ground.url}${path}`, { headers: alice })).status).toBe(200)
  })

  it('gives the answer to an idempotency key to its own caller only', async () => {
    ground.rightful.push(4, 4)
    const key = unique('same-key')
    const tip = (headers: Readonly<Record<string, string>>) =>
      fetch(`${ground.url}/account/pot/tip`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
        body: '{"amount":4}',
      })
    const alice = bearer(await tokenFor())
    const first = await tip(alice)
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([200, null])
    const other = await tip(bearer(await tokenFor({ subject: 'bob' })))
    expect([other.status, other.headers.get('idempotency-replayed')]).toEqual([200, null])
    const again = await tip(alice)
    expect([again.headers.get('idempotency-replayed'), await again.text()]).toEqual(['true', await first.text()])
  })

  it.each<[string, string]>([
    ['dots in a path', '/account/alice/%2e%2e/%2e%2e/-/entities'],
    ['dots encoded twice', '/account/%252e%252e/add'],
    ['a zero byte in a path', '/account/alice/add%00'],
    ['a backslash in a path', '/account/alice\\..\\add'],
    ['two slashes', '//account//bob//add'],
    ['capitals in a path', '/Account/bob/Add'],
    ['a semicolon in a path', '/account;x=1/bob/add'],
    ['an overlong key', `/account/${'k'.repeat(2_000)}/add`],
    ['broken percent-encoding', '/account/%zz/add'],
    ['overlong UTF-8', '/account/%c0%ae/add'],
    ['a key of a million characters', `/account/${'k'.repeat(14_000)}/add`],
  ])('is not led astray by %s', async (_what, path) => {
    const authorization = `Bearer ${await tokenFor()}`
    const [answer] = await sendBytes(
      ground.url,
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{"amount":1}`,
    )
    expect(answer?.headers['content-type']).toBe('application/problem+json')
    expect([400, 403, 404, 405, 414]).toContain(answer?.status)
  })

  it.each<[string, string, string]>([
    ['deep JSON', `{"amount":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'malformed_json'],
    ['__proto__', '{"amount":1,"__proto__":{"isAdmin":true}}', 'malformed_json'],
    ['constructor.prototype', '{"amount":1,"constructor":{"prototype":{"isAdmin":true}}}', 'malformed_json'],
    ['__proto__ in escapes', '{"amount":1,"\\u005f_proto__":{"isAdmin":true}}', 'malformed_json'],
    ['a number beyond doubles', '{"amount":1e999}', 'malformed_json'],
    ['an integer beyond 64 bits', `{"amount":${'9'.repeat(400)}}`, 'malformed_json'],
    ['a fraction', '{"amount":1.5}', 'validation_failed'],
    ['text for a number', '{"amount":"1"}', 'validation_failed'],
    ['an argument that is not known', '{"amount":1,"principal":"jwt:root"}', 'validation_failed'],
    ['a list for the arguments', '[1]', 'validation_failed'],
    ['a zero byte', '{"amount":1}\u0000', 'malformed_json'],
  ])('refuses %s in a body', async (_what, body, code) => {
    await expectProblem(await ground.add('alice', bearer(await tokenFor()), body), 400, code)
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  it('takes the last of two members of one name, and no other reader sees the first', async () => {
    const answer = await ground.add('alice', bearer(await tokenFor()), '{"amount":1,"amount":"x"}')
    await expectProblem(answer, 400, 'validation_failed')
  })

  it('reads no body of a caller who may not call', async () => {
    const body = 'x'.repeat(2_000_000)
    const answer = await ground.add('alice', {}, body).catch((error: unknown) => error)
    // It may have hung up while the body was still on its way.
    if (answer instanceof Response) await expectProblem(answer, 401, 'unauthenticated')
    else expect(answer).toBeInstanceOf(TypeError)
  })

  const head = 'POST /account/alice/add HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  it.each<[string, string]>([
    [
      'Content-Length beside Transfer-Encoding',
      `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /-/livez HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    ['two lengths', `${head}Content-Length: 12\r\nContent-Length: 0\r\n\r\n{"amount":1}`],
    ['a length with a sign', `${head}Content-Length: +12\r\n\r\n{"amount":1}`],
    ['a negative length', `${head}Content-Length: -1\r\n\r\n{"amount":1}`],
    ['an unknown transfer coding', `${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ['a transfer coding behind a tab', `${head}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${head}X-A: 1\r\n Authorization: Bearer x\r\nContent-Length: 12\r\n\r\n{"amount":1}`],
    ['a space before the colon', `${head}Content-Length : 12\r\n\r\n{"amount":1}`],
    ['bare line feeds', 'POST /account/alice/add HTTP/1.1\nHost: x\nContent-Length: 0\n\n'],
    ['a bare carriage return in a header', `${head}X-A: 1\rX-B: 2\r\nContent-Length: 0\r\n\r\n`],
    ['a zero byte in a header', `${head}X-A: \u0000\r\nContent-Length: 0\r\n\r\n`],
    ['a broken chunk size', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ['a request without a host', 'POST /account/alice/add HTTP/1.1\r\nContent-Length: 0\r\n\r\n'],
    ['pipelined junk', '\u0016\u0003\u0001\u0002\u0000\r\n\r\njunk\r\n\r\n'],
  ])('does not let smuggle by %s', async (_what, bytes) => {
    const [answer, ...others] = await sendBytes(ground.url, Buffer.from(bytes, 'latin1'))
    expect([400, 401]).toContain(answer?.status)
    // Whatever stood behind it was never taken for a request.
    expect(others.map(({ status }) => status).filter((status) => status < 400)).toEqual([])
  })

  it('lets no header into records: what a caller writes into them stays here', async () => {
    const token = await tokenFor()
    const answer = await fetch(`${ground.url}/account/alice/add`, {
      method: 'POST',
      headers: {
        ...bearer(token),
        'content-type': 'application/json',
        'x-injected': 'a=b',
        ce_id: 'forged',
        traceparent: 'x\ty',
      },
      body: '{"amount":"no number"}',
    })
    await expectProblem(answer, 400, 'validation_failed')
  })

  it('answers 408 to a body that does not come', async () => {
    const token = await tokenFor()
    const [answer] = await sendBytes(
      ground.url,
      `${head}Authorization: Bearer ${token}\r\nContent-Length: 12\r\n\r\n{"am`,
    )
    expect(answer).toMatchObject({ status: 408, headers: { connection: 'close' } })
    expect(answer?.headers['content-type']).toBe('application/problem+json')
  })

  it('answers 408 to headers that do not come', async () => {
    const [answer] = await sendBytes(ground.url, 'POST /account/alice/add HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect(answer?.status).toBe(408)
  })

  it('answers 431 to many headers, and drops none in silence', async () => {
    const many = Array.from({ length: 80 }, (_, index) => `X-${index}: 1\r\n`).join('')
    const [answer] = await sendBytes(ground.url, `GET /-/livez HTTP/1.1\r\nHost: x\r\n${many}\r\n`)
    expect(answer?.status).toBe(431)
    const [beyond] = await sendBytes(ground.url, `GET /-/livez HTTP/1.1\r\nHost: x\r\n${many.repeat(3)}\r\n`)
    expect(beyond?.status).toBe(431)
  })

  it('answers 431 to large headers', async () => {
    const [answer] = await sendBytes(
      ground.url,
      `GET /-/livez HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`,
    )
    expect(answer?.status).toBe(431)
  })

  it('closes connections beyond its limit and serves those it has', async () => {
    const { hostname, port } = new URL(ground.url)
    const sockets: Socket[] = []
    try {
      let closed = 0
      for (let index = 0; index < 260; index++) {
        const socket = connect({ host: hostname, port: Number(port) })
        socket.on('error', () => {}).on('close', () => closed++)
        sockets.push(socket)
      }
      const deadline = Date.now() + 5_000
      while (closed < 55 && Date.now() < deadline) await delay(20)
      expect(closed).toBeGreaterThanOrEqual(55)
    } finally {
      for (const socket of sockets) socket.destroy()
      await delay(50)
    }
  })

  const preflight = (origin: string) =>
    fetch(`${ground.url}/account/alice/add`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    })

  it('answers preflights of listed origins only', async () => {
    const allowed = await preflight(CORS_ORIGIN)
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([204, CORS_ORIGIN])
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull()
    for (const origin of [
      `${CORS_ORIGIN}.evil`,
      'https://evil.example',
      'null',
      'http://app.example',
      `${CORS_ORIGIN}:444`,
    ]) {
      const refused = await preflight(origin)
      expect(refused.status, origin).toBe(401)
      expect(refused.headers.get('access-control-allow-origin'), origin).toBeNull()
    }
  })

  it('refuses a page of another origin, whatever it knows', async () => {
    // `fetch` does not let one say so; a browser always does.
    const [answer] = await sendBytes(
      ground.url,
      `${head}Authorization: Bearer ${await tokenFor()}\r\nOrigin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 12\r\n\r\n{"amount":1}`,
    )
    expect(answer?.status).toBe(403)
  })
})
