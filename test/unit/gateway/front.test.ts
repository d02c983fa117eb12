import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { createFront, type Front } from '../../../src/gateway/front.ts'
import { until } from '../../helpers/until.ts'

const HEAD = 'Host: x\r\n\r\n'
let front: Front
let begun: { readonly request: IncomingMessage; readonly response: ServerResponse }[]
let sockets: Socket[]

beforeEach(async () => {
  begun = []
  sockets = []
  front = createFront(readConfig({ env: { GATEWAY_HEADERS_TIMEOUT_MS: '300' }, argv: [] }).config.http)
  front.lead((request, response) => void begun.push({ request, response }))
  await front.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  front.cut()
  await front.close()
})

function open(): { readonly socket: Socket; readonly said: () => string } {
  const socket = connect((front.server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  return { socket, said: () => text }
}

const statusesOf = (text: string) => text.match(/^HTTP\/1\.1 \d+/gm)?.map((line) => Number(line.slice(9)))

describe('bytes that are no request', () => {
  it('are told as a problem, surely unsent', async () => {
    const { socket, said } = open()
    socket.write('NONSENSE\r\n\r\n')
    await until('the connection is closed', () => socket.closed)
    expect(said()).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json\r\n/)
    expect(said()).toContain('"outcome":"not_sent"')
  })

  it.each([
    ['bytes', 'NONSENSE\r\n\r\n'],
    ['too many headers', `GET /next HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['half a head that comes too late', 'GET /next HTTP/1.1\r\nHos'],
  ])('take nothing away from the call before them: %s', async (_what, rest) => {
    const { socket, said } = open()
    socket.write(`GET /slow HTTP/1.1\r\n${HEAD}${rest}`)
    await until('the call has begun', () => begun.length === 1)
    await sleep(rest.endsWith('\r\n') ? 50 : 2_000)
    expect(said()).toBe('')
    begun[0]?.response.end('done')
    await until('the connection is closed', () => socket.closed)
    expect(statusesOf(said())).toEqual([200])
    expect(said()).toMatch(/connection: close\r\n/i)
    expect(said()).toContain('done')
  })

  it('end a connection whose answer has begun: nobody can say what came of the rest', async () => {
    const { socket, said } = open()
    socket.write('POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
    await until('the call has begun', () => begun.length === 1)
    begun[0]?.response.write('a line')
    await until('the answer has begun', () => said().includes('a line'))
    socket.write('no chunk\r\n')
    await until('the connection is closed', () => socket.closed)
    expect(said().match(/HTTP\/1\.1/g)).toHaveLength(1)
  })

  it('take nothing away from several calls before them, however often more of them come', async () => {
    const { socket, said } = open()
    socket.write(`GET /a HTTP/1.1\r\n${HEAD}GET /b HTTP/1.1\r\n${HEAD}NONSENSE\r\n\r\n`)
    await until('both have begun', () => begun.length === 2)
    for (let times = 0; times < 3; times++) {
      socket.write('MORE\r\n')
      await sleep(10)
    }
    for (const { response } of begun) {
      expect(response.listenerCount('finish')).toBeLessThan(5)
      response.end('done')
    }
    await until('the connection is closed', () => socket.closed)
    expect(said().match(/HTTP\/1\.1 \d+|connection: [a-z-]+/gi)).toEqual([
      ...['HTTP/1.1 200', 'Connection: keep-alive', 'HTTP/1.1 200', 'Connection: close'],
    ])
  })

  it('are told of an expectation that nobody knows', async () => {
    const { socket, said } = open()
    socket.write(`GET / HTTP/1.1\r\nExpect: the-worst\r\n${HEAD}`)
    await until('the connection is closed', () => socket.closed)
    expect(statusesOf(said())).toEqual([417])
    expect(said()).toContain('application/problem+json')
    expect(begun).toHaveLength(0)
  })

  it('end a connection that asks for a tunnel, and nothing else', async () => {
    const { socket, said } = open()
    socket.on('error', () => undefined).write(`CONNECT other:443 HTTP/1.1\r\n${HEAD}`)
    await until('the connection is closed', () => socket.closed)
    expect([said(), begun]).toEqual(['', []])
    expect(await connectionsOf(front)).toBe(0)
  })
})

function connectionsOf({ server }: Front): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}

describe('requests that are sent ahead', () => {
  const ahead = (count: number) =>
    Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\n${HEAD}`).join('')

  it('are begun a few at a time, and all answered in their order', async () => {
    const { socket, said } = open()
    socket.write(ahead(100))
    await until('some have begun', () => begun.length >= 33)
    await sleep(20)
    expect(begun).toHaveLength(33)
    const answered = new Set<ServerResponse>()
    await until('all are answered', () => {
      for (const { request, response } of begun) if (!answered.has(response)) response.end(`<${request.url}>`)
      for (const { response } of begun) answered.add(response)
      return said().includes('</99>')
    })
    expect(said().match(/<\/\d+>/g)).toEqual(Array.from({ length: 100 }, (_, index) => `</${index}>`))
  })

  it('cut off whoever sends a thousand and more', async () => {
    const { socket, said } = open()
    socket.on('error', () => undefined).write(ahead(1_100))
    await until('the connection is closed', () => socket.closed)
    expect([begun.length, said()]).toEqual([33, ''])
  })

  it('are over when their connection is, begun or not', async () => {
    const { socket } = open()
    const over: unknown[] = []
    front.lead((request, response) => {
      begun.push({ request, response })
      response.on('close', () => over.push(request.url))
    })
    socket.write(ahead(40))
    await until('some have begun', () => begun.length === 33)
    socket.destroy()
    await until('all of them are over', () => over.length === 33)
    await sleep(20)
    expect(begun).toHaveLength(33)
  })
})
