import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'

const ORIGIN = 'https://app.example'
let gateway: RunningGateway

beforeAll(async () => {
  const slow = {
    plugin: async (app: RunningGateway['app']) => {
      app.get('/missing', (_request, reply) => reply.callNotFound())
      app.get('/slow', async () => new Promise((resolve) => setTimeout(resolve, 1_000, { slow: true })))
    },
  }
  const env = { GATEWAY_RUNTIME: 'embedded', GATEWAY_CORS_ORIGINS: ORIGIN, GATEWAY_BODY_TIMEOUT_MS: '300' }
  gateway = await startGateway(env, { routes: [slow.plugin] })
})
afterAll(() => gateway.close())

/** Everything that is said until the gateway closes the connection. */
function say(...bytes: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  for (const piece of bytes) socket.write(piece)
  return text(socket)
}

describe('what is refused before any route', () => {
  it.each([
    ['a URL that can’t be decoded', 'GET /%ff HTTP/1.1', '', 400],
    ['a key that is too long', `GET /user/${'k'.repeat(4_000)} HTTP/1.1`, '', 414],
    ['too many headers', 'GET /user/a HTTP/1.1', Array.from({ length: 98 }, (_, at) => `X-${at}: 1\r\n`).join(''), 431],
  ])('is told to pages, too: %s', async (_what, line, more, status) => {
    const answer = await say(`${line}\r\nHost: x\r\nOrigin: ${ORIGIN}\r\nConnection: close\r\n${more}\r\n`)
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain('content-type: application/problem+json\r\n')
    expect(answer).toContain(`access-control-allow-origin: ${ORIGIN}\r\n`)
    expect(answer).toContain('x-content-type-options: nosniff\r\n')
  })

  it('is a request without a host', async () => {
    const answer = await say('GET /-/livez HTTP/1.1\r\nConnection: close\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 /)
    expect(answer).toContain('Host header')
    expect(await say('GET /-/livez HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
  })

  it('is a body in a coding', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const answer = await fetch(`${gateway.url}/user`, { method: 'POST', headers, body: '{"username":"coded"}' })
    expect([answer.status, await answer.json()]).toMatchObject([
      415,
      { code: 'unsupported_media_type', outcome: 'not_sent', detail: expect.stringContaining('gzip') },
    ])
  })
})

describe('what is not there', () => {
  it('is missing, though its route serves the verb', async () => {
    const answer = await fetch(`${gateway.url}/missing`)
    expect([answer.status, await answer.json()]).toMatchObject([404, { code: 'route_not_found' }])
  })

  it('is explained to who names it with its address', async () => {
    const answer = await say('GET http://x/usr/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(answer).toContain('entity type \\"usr\\"')
  })
})

it('a refused request takes nothing away from the slow one before it', async () => {
  const slow = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n'
  const refused =
    'POST /user HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}'
  const answer = await say(slow + refused)
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 415'])
})

it.each(['.', '..'])('an entity is not created under "%s", which no address can end with', async (username) => {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${gateway.url}/user`, { method: 'POST', headers, body: JSON.stringify({ username }) })
  expect([answer.status, await answer.json()]).toMatchObject([
    400,
    { code: 'validation_failed', outcome: 'not_sent', errors: [{ pointer: '#/username' }] },
  ])
})
