import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPipelining } from '../../../src/gateway/pipelining.ts'
import { createDrain, type Drain, refuseWhileDraining } from '../../../src/gateway/plugins/drain.ts'
import { until } from '../../helpers/until.ts'

const REQUEST = 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n'
let app: FastifyInstance
let drain: Drain
let port: number
const sockets: Socket[] = []
/** The server's ends. */
const taken: Socket[] = []
/** Ends of the calls under way. */
let slow: ((answer: string) => void)[]

beforeEach(async () => {
  slow = []
  app = fastify({
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    serverFactory: (handler) => createServer(createPipelining(handler)),
  })
  drain = createDrain(10_000)
  drain.watch(app.server)
  app.server.on('connection', (socket: Socket) => taken.push(socket))
  refuseWhileDraining(app, drain)
  app.addHook('preClose', () => drain.begin())
  app.get('/x', async () => 'x')
  app.get('/slow', () => new Promise((resolve) => slow.push(resolve)))
  await app.listen({ port: 0, host: '127.0.0.1' })
  // Over TCP it is not a path.
  port = (app.server.address() as AddressInfo).port
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  taken.length = 0
  await app.close()
})

/** A connection that the server has taken, and everything that came over it. */
async function open(): Promise<{ readonly socket: Socket; readonly said: () => string }> {
  const arrived = once(app.server, 'connection')
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.on('data', (chunk) => {
    text += String(chunk)
  })
  await Promise.all([once(socket, 'connect'), arrived])
  return { socket, said: () => text }
}

describe('a gateway that stops', () => {
  it('refuses a request that comes on a connection which has carried none, and ends that connection', async () => {
    const { socket, said } = await open()
    const ended = once(socket, 'close')
    const closing = app.close()
    socket.write(REQUEST)
    await ended
    await closing
    expect(said()).toMatch(/^HTTP\/1\.1 503 /)
    expect(said()).toMatch(/connection: close/i)
  })

  it('refuses a request that comes a moment later, too, and does not cut it off', async () => {
    const { socket, said } = await open()
    const ended = once(socket, 'close')
    const closing = app.close()
    await until('it is stopping', () => drain.isDraining())
    socket.write(REQUEST)
    await ended
    await closing
    expect(said()).toMatch(/^HTTP\/1\.1 503 /)
  })

  it.each([
    [10_000, 250],
    [100, 25],
  ])('that has %i ms for its end lingers for %i ms', async (graceMs, lingerMs) => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const drain = createDrain(graceMs)
      const server = createServer()
      drain.watch(server)
      server.emit('connection', new Socket())
      let isOver = false
      const over = drain.begin().then(() => {
        isOver = true
      })
      await vi.advanceTimersByTimeAsync(lingerMs - 1)
      expect(isOver).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      await over
    } finally {
      vi.useRealTimers()
    }
  })

  it('ends with its answer a connection whose request comes while it lingers', async () => {
    const { socket, said } = await open()
    const ended = once(socket, 'close')
    const begun = drain.begin()
    socket.write(REQUEST)
    await Promise.all([ended, begun])
    expect(said()).toMatch(/^HTTP\/1\.1 503 /)
    expect(said()).toMatch(/connection: close/i)
  })

  it('lingers for nobody where every connection has ended', async () => {
    const drain = createDrain(10_000)
    const server = createServer()
    drain.watch(server)
    const socket = new Socket()
    server.emit('connection', socket)
    const ended = once(socket, 'close')
    socket.destroy()
    await ended
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      await drain.begin()
    } finally {
      vi.useRealTimers()
    }
  })

  it('refuses a request that comes on a connection which was idle between two', async () => {
    const { socket, said } = await open()
    socket.write(REQUEST)
    await until('the first is answered', () => said().endsWith('x'))
    const ended = once(socket, 'close')
    const closing = app.close()
    socket.write(REQUEST)
    await ended
    await closing
    expect(said().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 503'])
  })

  it('refuses a request whose start had come, however late its end', async () => {
    const { socket, said } = await open()
    socket.write(REQUEST.slice(0, 20))
    await until('it has come', () => taken.at(-1)?.bytesRead === 20)
    const ended = once(socket, 'close')
    const closing = app.close()
    await setTimeout(400)
    socket.write(REQUEST.slice(20))
    await ended
    await closing
    expect(said()).toMatch(/^HTTP\/1\.1 503 /)
  })

  it('answers all calls that were sent ahead, and ends the connection with the last of them', async () => {
    const { socket, said } = await open()
    socket.write(REQUEST.replace('/x', '/slow').repeat(2))
    await until('both have begun', () => slow.length === 2)
    const ended = once(socket, 'close')
    const closing = app.close()
    await setTimeout(20)
    for (const answer of slow) answer('done')
    await ended
    await closing
    expect(said().match(/HTTP\/1\.1 \d+|connection: [a-z-]+/gi)).toEqual([
      ...['HTTP/1.1 200', 'Connection: keep-alive', 'HTTP/1.1 200', 'connection: close'],
    ])
  })

  it('does not wait for connections that ask for nothing', async () => {
    const { socket, said } = await open()
    const ended = once(socket, 'close')
    await app.close()
    await ended
    expect(said()).toBe('')
  })
})
