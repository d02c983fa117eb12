import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGunzip, gzipSync } from 'node:zlib'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Operation } from '../../../src/routes/binding.ts'
import { acceptJsonBodies } from '../../../src/routes/json-body.ts'
import { GatewayRequest } from '../../../src/routes/taken-body.ts'
import { until } from '../../helpers/until.ts'

const LIMIT = 1_024

/** Ours, as far as the reader looks. */
const config = { operation: {} as Operation }
let app: FastifyInstance
let seen: unknown[]
/** That the request of a custom route has emitted. */
let events: string[]
let sockets: Socket[]

beforeEach(async () => {
  seen = []
  events = []
  sockets = []
  app = fastify({
    bodyLimit: LIMIT,
    serverFactory: (handler) => createServer({ IncomingMessage: GatewayRequest }, handler),
  })
  acceptJsonBodies(app)
  const handler = async ({ body, raw }: { body: unknown; raw: IncomingMessage }) => {
    seen.push(body)
    return { body, ended: raw.readableEnded, isStream: raw.readableFlowing !== null }
  }
  app.post('/ours', { config, handler })
  app.post('/custom', {
    handler,
    onRequest: async ({ raw }) => {
      for (const name of ['end', 'close']) raw.on(name, () => events.push(name))
    },
  })
  await app.listen({ port: 0 })
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await app.close()
})

interface Talk {
  readonly socket: Socket
  said(text: string): Promise<string>
}

async function open(): Promise<Talk> {
  const socket = connect((app.server.address() as AddressInfo).port)
  sockets.push(socket)
  let text = ''
  socket.setNoDelay().on('data', (chunk) => {
    text += chunk.toString()
  })
  await once(socket, 'connect')
  return {
    socket,
    async said(wanted) {
      await until(`an answer with ${wanted}`, async () => text.includes(wanted))
      return text
    },
  }
}

function head(path: string, fields: readonly string[]): string {
  return [`POST ${path} HTTP/1.1`, 'Host: here', 'Content-Type: application/json', ...fields, '', ''].join('\r\n')
}

const announced = (body: string) => `Content-Length: ${Buffer.byteLength(body)}`

describe.each(['/ours', '/custom'])('a body of %s', (path) => {
  it('is read where it comes with its headers, and the connection goes on', async () => {
    const { socket, said } = await open()
    socket.write(`${head(path, [announced('{"a":1}')])}{"a":1}${head(path, [announced('{"b":"ä"}')])}{"b":"ä"}`)
    const text = await said('{"body":{"b"')
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2)
    expect(seen).toEqual([{ a: 1 }, { b: 'ä' }])
    expect(text).toContain(`"ended":true,"isStream":${path === '/custom'}`)
  })

  it('is read where it comes in pieces, within a character too', async () => {
    const { socket, said } = await open()
    const bytes = Buffer.from('{"text":"äöü"}')
    socket.write(head(path, [announced(bytes.toString())]))
    for (const byte of bytes) {
      socket.write(Buffer.of(byte))
      await sleep(1)
    }
    await said('200 OK')
    expect(seen).toEqual([{ text: 'äöü' }])
  })

  it('is read where nobody says how long it is', async () => {
    const { socket, said } = await open()
    const chunks = ['{"a":', '[1,2', ',3]}'].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    socket.write(`${head(path, ['Transfer-Encoding: chunked'])}${chunks.join('')}0\r\n\r\n`)
    await said('200 OK')
    expect(seen).toEqual([{ a: [1, 2, 3] }])
  })

  it('is refused where it is too long, said or not', async () => {
    const long = JSON.stringify('x'.repeat(LIMIT))
    const { socket, said } = await open()
    socket.write(head(path, [announced(long)]))
    expect(await said('413')).toContain('HTTP/1.1 413')
    const other = await open()
    other.socket.write(
      `${head(path, ['Transfer-Encoding: chunked'])}${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`,
    )
    expect(await other.said('413')).toContain('HTTP/1.1 413')
    expect(seen).toEqual([])
  })

  it('that never ends reaches nobody', async () => {
    const { socket } = await open()
    socket.write(`${head(path, ['Content-Length: 10'])}{"a"`)
    await sleep(20)
    socket.destroy()
    await sleep(20)
    expect(seen).toEqual([])
    const next = await open()
    next.socket.write(`${head(path, [announced('1')])}1`)
    await next.said('200 OK')
    expect(seen).toEqual([1])
  })
})

it('that a hook has made another stream of is read from that', async () => {
  const other = fastify({ serverFactory: (handler) => createServer({ IncomingMessage: GatewayRequest }, handler) })
  acceptJsonBodies(other)
  other.addHook('preParsing', async (_request, _reply, payload) => payload.pipe(createGunzip()))
  other.post('/ours', { config, handler: async ({ body }) => body })
  const url = await other.listen({ port: 0 })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/ours`, { method: 'POST', headers, body: gzipSync('{"a":[1,2]}') })
  expect([answer.status, await answer.json()]).toEqual([200, { a: [1, 2] }])
  await other.close()
})

it('of a custom route stays a stream for whoever listens', async () => {
  const { socket, said } = await open()
  socket.write(`${head('/custom', [announced('{}')])}{}`)
  await said('200 OK')
  expect(events).toEqual(['end', 'close'])
})

describe('a request whose body is taken', () => {
  it('has none left for a second taker, and tells the first that it is not waited for', async () => {
    const { promise, resolve } = Promise.withResolvers<GatewayRequest>()
    const server = createServer({ IncomingMessage: GatewayRequest }, (request) => resolve(request as GatewayRequest))
    server.listen(0)
    await once(server, 'listening')
    const socket = connect((server.address() as AddressInfo).port)
    sockets.push(socket)
    socket.write(head('/', ['Content-Length: 10']))
    const request = await promise
    expect(request.failBody(new Error('late'))).toBe(false)
    const told: string[] = []
    const taker = { chunk: () => {}, end: () => {}, fail: ({ message }: Error) => void told.push(message) }
    expect(request.takeBody(taker)).toBe(true)
    expect(request.takeBody(taker)).toBe(false)
    expect(request.failBody(new Error('late'))).toBe(true)
    expect(told).toEqual(['late'])
    socket.destroy()
    server.close()
  })
})
