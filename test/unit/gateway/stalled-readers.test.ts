import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { endStalledReaders } from '../../../src/gateway/stalled-readers.ts'
import { until } from '../../helpers/until.ts'

afterEach(() => void vi.useRealTimers())

it('ends a connection that takes nothing of its answer, and no other', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  const server = createServer((request, response) =>
    response.end(request.url === '/big' ? Buffer.alloc(32_000_000) : 'x'),
  )
  endStalledReaders(server)
  const ended: (string | undefined)[] = []
  server.on('connection', (socket) => {
    let first: string | undefined
    socket.once('data', (chunk) => {
      first = String(chunk).slice(0, 9)
    })
    socket.once('close', () => ended.push(first))
  })
  server.listen(0)
  await once(server, 'listening')
  const open = (path: string) => {
    const socket = connect((server.address() as AddressInfo).port)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    return socket.on('error', () => undefined)
  }
  const [stalled, reading] = [open('/big').pause(), open('/small').resume()]
  await until('one answer waits', async () => (await connections(server)) === 2)
  await new Promise((resolve) => setTimeout(resolve, 100))

  vi.advanceTimersByTime(330_000)
  await until('the stalled one is ended', () => ended.length > 0)
  expect(ended).toEqual(['GET /big '])
  expect(await connections(server)).toBe(1)

  for (const socket of [stalled, reading]) socket.destroy()
  server.close()
  await once(server, 'close')
})

function connections(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })
}
