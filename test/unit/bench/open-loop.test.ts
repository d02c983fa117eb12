import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createPlan, startOpenLoop } from '../../../bench/open-loop.ts'
import { httpRequests } from '../../../bench/work.ts'

let server: Server | undefined
afterEach(() => void server?.close())

/** Answers `true` after 30 milliseconds. */
async function listen(): Promise<number> {
  server = createServer((request, response) => {
    request.resume()
    request.on('end', () => setTimeout(() => response.end('true'), 30))
  })
  const listening = server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  // A TCP server's address.
  return (listening.address() as AddressInfo).port
}

describe('the plan', () => {
  it('leaves no call out, however late one looks', () => {
    const plan = createPlan(1_000, 100)
    expect(plan.dueUntil(1_000)).toEqual([1_000])
    expect(plan.dueUntil(1_009)).toEqual([])
    expect(plan.dueUntil(1_045)).toEqual([1_010, 1_020, 1_030, 1_040])
  })
})

describe('the open loop', () => {
  it('counts the time that a call waited for a connection: it begins when the call was planned', async () => {
    const port = await listen()
    const reach = { ports: [port] as const, requests: httpRequests('localhost') }
    // One connection can take 33 calls a second; 200 are planned, so the queue grows all the time.
    const loop = await startOpenLoop({ reach, ratePerS: 200, connections: 1 })
    loop.reset()
    for (let waited = 0; waited < 500; waited += 50) await sleep(50)
    const measured = loop.take()
    await loop.close()
    expect(measured.errors).toBe(0)
    expect(measured.calls).toBeLessThan(40)
    expect(measured.maxUs).toBeGreaterThan(250_000)
    expect(measured.slow.length).toBeGreaterThan(0)
    for (const { startMs, endMs } of measured.slow) expect(endMs - startMs).toBeGreaterThanOrEqual(250)
  })

  it('counts the calls that a server which hangs never answers, sent or not', async () => {
    server = createServer((request) => void request.resume())
    const listening = server
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const { port } = listening.address() as AddressInfo
    const reach = { ports: [port] as const, requests: httpRequests('localhost') }
    const loop = await startOpenLoop({ reach, ratePerS: 100, connections: 2 })
    loop.reset()
    for (let waited = 0; waited < 500; waited += 50) await sleep(50)
    const measured = loop.take()
    server.closeAllConnections()
    await loop.close()
    expect([measured.calls, measured.errors]).toEqual([0, 0])
    // Those of the last 250 milliseconds are not slow yet.
    expect(measured.unanswered).toBeGreaterThanOrEqual(20)
    expect(measured.unanswered).toBeLessThan(measured.elapsedMs / 10)
    expect(measured.slow).toHaveLength(measured.unanswered)
    for (const { startMs, endMs } of measured.slow) expect(endMs - startMs).toBeGreaterThanOrEqual(250)
  })

  it('says that an answer is wrong', async () => {
    server = createServer((_request, response) => response.writeHead(503).end('no'))
    const listening = server
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const { port } = listening.address() as AddressInfo
    const reach = { ports: [port] as const, requests: httpRequests('localhost') }
    const loop = await startOpenLoop({ reach, ratePerS: 500, connections: 2 })
    await vi.waitFor(() => expect(loop.take().errors).toBeGreaterThan(0), { timeout: 5_000 })
    const { calls, firstError } = loop.take()
    await loop.close()
    expect(calls).toBe(0)
    expect(firstError).toContain('503')
  })
})
