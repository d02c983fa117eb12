import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newApiKey } from '../../../src/gateway/access/api-keys.ts'
import { type RunningGateway, startGateway } from '../../helpers/running-gateway.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'
import { unique } from '../../helpers/unique.ts'
import { until } from '../../helpers/until.ts'
import { ISSUER, jwksOf, newKey, tokenBy } from './token-app.ts'

const folder = createTemporaryFolder()
const clerk = newApiKey('clerk', [])
const keeper = newApiKey('keeper', ['shop:stock'])
const issuerKey = newKey('only')
let gateway: RunningGateway

beforeAll(async () => {
  gateway = await startGateway({
    GATEWAY_ACCESS: 'authenticated',
    GATEWAY_OVERRIDES: folder.write('overrides.json', {
      'Item.set_stock': { scopes: ['shop:stock'] },
      'User.simple_for_loop': { scopes: ['shop:loop'] },
    }),
    GATEWAY_API_KEYS: `${clerk.entry}\n${keeper.entry}`,
    GATEWAY_JWKS_FILE: folder.write('jwks.json', jwksOf(issuerKey)),
    GATEWAY_JWT_ISSUER: ISSUER,
    GATEWAY_JWT_AUDIENCE: 'shop',
    GATEWAY_JWT_CLOCK_SKEW_MS: '0',
    GATEWAY_BODY_TIMEOUT_MS: '200',
  })
})
afterAll(async () => {
  await gateway.close()
  folder.close()
})

const opened: { destroy(): void }[] = []
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy()
})

interface Told {
  readonly status: number
  readonly body: { readonly code?: string; readonly detail?: string; readonly hint?: string }
}

async function get(path: string, key: string): Promise<Told> {
  const answer = await fetch(`${gateway.url}${path}`, { headers: { 'x-api-key': key } })
  return { status: answer.status, body: (await answer.json()) as Told['body'] }
}

interface LineAnswer {
  readonly status: number
  readonly problem?: { readonly code: string; readonly hint?: string; readonly errors?: readonly object[] }
}

async function batch(key: string, ...lines: readonly object[]): Promise<readonly LineAnswer[]> {
  const answer = await fetch(`${gateway.url}/-/batch`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  })
  const text = await answer.text()
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LineAnswer)
}

describe('a hint of a path', () => {
  it('names a method to those who may call it, and to nobody else', async () => {
    expect((await get('/item/a/set_stok', keeper.key)).body.hint).toBe('Did you mean "set_stock"?')
    const { status, body } = await get('/item/a/set_stok', clerk.key)
    expect([status, body.hint]).toEqual([404, undefined])
    expect((await get('/item/a/update_stok', clerk.key)).body.hint).toBe('Did you mean "update_stock"?')
  })
})

describe('a line of a batch', () => {
  const misspelt = { entity: 'item', key: 'a', method: 'set_stok', args: {} }
  const wrong = { entity: 'user', key: 'a', method: 'simple_for_loop', args: { user: [] } }

  it('is told no name of what its sender may not call', async () => {
    const [known] = await batch(keeper.key, misspelt)
    expect(known?.problem?.hint).toBe('Did you mean "set_stock"?')
    const [unknown] = await batch(clerk.key, misspelt)
    expect([unknown?.status, unknown?.problem?.hint]).toEqual([404, undefined])
  })

  it('is refused before its arguments are looked at', async () => {
    const [answer] = await batch(clerk.key, wrong)
    expect([answer?.status, answer?.problem?.code, answer?.problem?.errors]).toEqual([403, 'forbidden', undefined])
  })

  it('is refused once the token that came with the batch has ended', async () => {
    const expiresAt = Math.ceil(Date.now() / 1_000) + 1
    const token = await tokenBy(issuerKey, { exp: expiresAt })
    const lines = new TransformStream<string, string>()
    const writer = lines.writable.getWriter()
    const answer = fetch(`${gateway.url}/-/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
      body: lines.readable.pipeThrough(new TextEncoderStream()),
      duplex: 'half',
    })
    const lineOf = (username: string) => `${JSON.stringify({ entity: 'user', method: 'create', args: { username } })}\n`
    await writer.write(lineOf(unique('early')))
    const response = await answer
    const read = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    expect(JSON.parse((await read?.read())?.value ?? '')).toMatchObject({ status: 201 })
    await until('the token has ended', () => Date.now() >= expiresAt * 1_000)
    await writer.write(lineOf(unique('late')))
    const late = JSON.parse((await read?.read())?.value ?? '')
    expect(late).toMatchObject({ status: 401, problem: { code: 'invalid_credentials' } })
    await writer.close()
  })
})

describe('a request with the same credential header twice', () => {
  it('is refused, as it may be that of two callers', async () => {
    const statusFor = async (...keys: readonly string[]) => {
      const sent = request(`${gateway.url}/user/nobody-there`, { headers: { 'x-api-key': [...keys] } }).end()
      // An http.ClientRequest's `response` event has the message alone.
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode
    }
    expect(await statusFor(clerk.key)).toBe(404)
    for (const other of [clerk.key, keeper.key, '']) expect(await statusFor(clerk.key, other)).toBe(400)
  })
})

describe('a request that is refused before its body is read', () => {
  it.each(['/user', '/-/batch'])('does not hold its connection for longer than a body may take: %s', async (path) => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect({ host: hostname, port: Number(port) })
    opened.push(socket)
    let text = ''
    let isClosed = false
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => {
      isClosed = true
    })
    socket.on('error', () => {})
    const type = path === '/user' ? 'application/json' : 'application/x-ndjson'
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 100000\r\n\r\n{`)
    await until('the refusal has come', () => text.includes('HTTP/1.1 401'))
    const trickle = setInterval(() => socket.write(' '), 30)
    await until('the connection is closed', () => isClosed).finally(() => clearInterval(trickle))
  })
})
