import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { createFunctionEndpoint } from '../../../src/runtime-adapters/statefun-endpoint/function-endpoint.ts'
import { until } from '../../helpers/until.ts'

const octets = { 'content-type': 'application/octet-stream' }
const body = Buffer.from('question')

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

/** A real server that does with each request what the test says. */
async function start(answer: RequestListener, host = '127.0.0.1') {
  const open = new Set<Socket>()
  const seen = { connections: 0, protocols: new Set<string>(), open }
  const server = createServer((request, response) => {
    seen.protocols.add(request.httpVersion)
    request.resume().on('end', () => answer(request, response))
  })
  server.on('connection', (socket) => {
    seen.connections++
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  // A TCP server's address.
  const { port } = server.address() as AddressInfo
  const shownHost = host.includes(':') ? `[${host}]` : host
  const url = new URL(`http://${shownHost}:${port}/functions?a=b`)
  const endpoint = createFunctionEndpoint({ url, connectTimeoutMs: 500, maxConnections: 2 })
  closing.push(async () => {
    endpoint.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { endpoint, seen }
}

describe('a functions’ endpoint', () => {
  it('is asked by HTTP/1.1 at its path, over connections that are used again', async () => {
    const asked: unknown[] = []
    const { endpoint, seen } = await start(({ method, url }, response) => {
      asked.push([method, url])
      response.writeHead(200, octets).end('answer')
    })
    for (let index = 0; index < 5; index++) {
      expect(await endpoint.post(body, 1_000)).toEqual({ kind: 'answered', body: Buffer.from('answer') })
    }
    expect(asked).toEqual(Array.from({ length: 5 }, () => ['POST', '/functions?a=b']))
    expect([...seen.protocols]).toEqual(['1.1'])
    expect(seen.connections).toBeLessThanOrEqual(2)
  })

  it('has no more connections than it may', async () => {
    const waiting: (() => void)[] = []
    const { endpoint, seen } = await start((_request, response) => {
      waiting.push(() => response.writeHead(200, octets).end('x'))
    })
    const answers = Promise.all([1, 2, 3].map(() => endpoint.post(body, 2_000)))
    await until('two requests', () => waiting.length === 2)
    for (const answer of waiting.splice(0)) answer()
    await until('the third request', () => waiting.length === 1)
    for (const answer of waiting) answer()
    expect((await answers).map(({ kind }) => kind)).toEqual(['answered', 'answered', 'answered'])
    expect(seen.connections).toBe(2)
  })

  it('may be at an address of IPv6', async () => {
    const { endpoint } = await start((_request, response) => response.writeHead(200, octets).end('x'), '::1')
    expect(await endpoint.post(body, 1_000)).toMatchObject({ kind: 'answered' })
  })

  it('may say something else before it answers', async () => {
    const { endpoint } = await start((_request, response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      response.writeHead(200, octets).end('x')
    })
    expect(await endpoint.post(body, 1_000)).toMatchObject({ kind: 'answered' })
  })

  it('loses the connection of an answer that does not come in time', async () => {
    let isFirst = true
    const { endpoint, seen } = await start((_request, response) => {
      response.writeHead(200, octets).write('half')
      if (isFirst) response.end()
      isFirst = false
    })
    expect(await endpoint.post(body, 10_000)).toMatchObject({ kind: 'answered' })
    await new Promise(setImmediate)
    expect(await endpoint.post(body, 100)).toEqual({ kind: 'lost', detail: 'No answer came within 100 ms.' })
    await until('the connection is closed', () => seen.open.size === 0)
  })

  it('is not reached where a request waited in vain for a connection', async () => {
    const { endpoint, seen } = await start(() => undefined)
    const first = [endpoint.post(body, 300), endpoint.post(body, 300)]
    expect(await endpoint.post(body, 50)).toMatchObject({ kind: 'unreached' })
    expect(await Promise.all(first)).toMatchObject([{ kind: 'lost' }, { kind: 'lost' }])
    await until('all connections are closed', () => seen.open.size === 0)
  })

  it('takes no request when it is closed, and ends those under way', async () => {
    const { endpoint, seen } = await start(() => undefined)
    const underWay = endpoint.post(body, 5_000)
    await until('the request is there', () => seen.protocols.size === 1)
    endpoint.close()
    endpoint.close()
    expect(await underWay).toEqual({ kind: 'lost', detail: 'The gateway stops.' })
    expect(await endpoint.post(body, 1_000)).toEqual({ kind: 'unreached', detail: 'The gateway stops.' })
    await until('the connection is closed', () => seen.open.size === 0)
  })
})

describe('an answer that nobody wants', () => {
  it('does not cost its connection when it is short', async () => {
    const { endpoint, seen } = await start((_request, response) => response.writeHead(500).end('x'.repeat(10_000)))
    for (let index = 0; index < 5; index++) {
      expect(await endpoint.post(body, 1_000)).toEqual({ kind: 'answered-error', detail: 'HTTP 500' })
      await new Promise(setImmediate)
    }
    expect(seen.connections).toBeLessThanOrEqual(2)
  })

  it('is not read for ever', async () => {
    const { endpoint, seen } = await start((_request, response) => {
      response.writeHead(500)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1_000)));
      }
      response.on('drain', more)
      more()
    })
    expect(await endpoint.post(body, 60_000)).toEqual({ kind: 'answered-error', detail: 'HTTP 500' })
    await until('the connection is closed', () => seen.open.size === 0)
  })

  it('is not waited for', async () => {
    const { endpoint, seen } = await start((_request, response) => response.writeHead(500).write('half'))
    expect(await endpoint.post(body, 60_000)).toEqual({ kind: 'answered-error', detail: 'HTTP 500' })
    await until('the connection is closed', () => seen.open.size === 0, 5_000)
  })
})
