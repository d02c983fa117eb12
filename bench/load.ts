import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { createLatencies } from './latencies.ts'
import { EXPECTED_BODY } from './work.ts'

/** What was seen since the last `reset`. */
export interface Measured {
  readonly calls: number
  readonly errors: number
  /** The first error, in words. */
  readonly firstError?: string
  readonly elapsedMs: number
  readonly p50Us: number
  readonly p99Us: number
}

/** A closed loop: each of its lanes has one call under way, and starts the next when the answer is there. */
export interface Load {
  reset(): Promise<void>
  take(): Promise<Measured>
  /** Calls under way may end; what is not answered by then is dropped. */
  close(): Promise<void>
}

export interface Tally {
  readonly answered: (startedAt: number) => void
  readonly failed: (reason: string) => void
  readonly reset: () => void
  readonly take: () => Measured
}

export function createTally(): Tally {
  const latencies = createLatencies()
  let since = performance.now()
  let errors = 0
  let firstError: string | undefined
  return {
    answered: (startedAt) => latencies.add(performance.now() - startedAt),
    failed(reason) {
      errors++
      firstError ??= reason
    },
    reset() {
      latencies.clear()
      errors = 0
      firstError = undefined
      since = performance.now()
    },
    take() {
      const elapsedMs = performance.now() - since
      const calls = latencies.count
      const [p50Us = 0, p99Us = 0] = latencies.percentiles(50, 99)
      return { calls, errors, elapsedMs, p50Us, p99Us, ...(firstError === undefined ? {} : { firstError }) }
    },
  }
}

export interface HttpLoadOptions {
  /** The connections are shared out among them. */
  readonly ports: readonly [number, ...number[]]
  readonly connections: number
  readonly requests: readonly Buffer[]
  /** Milliseconds between the starts of two calls on one connection, at least. Default: the next starts at once. */
  readonly intervalMs?: number
}

const CONNECT_TIMEOUT_MS = 5_000
const DRAIN_TIMEOUT_MS = 5_000

/**
 * HTTP/1.1 with keep-alive over plain sockets, one call under way on each. It reads just enough of an answer to know that
 * it is the right one, so that it takes less of the machine than what it measures.
 */
export async function openHttpLoad({ ports, connections, requests, intervalMs = 0 }: HttpLoadOptions): Promise<Load> {
  const tally = createTally()
  let next = 0
  let stopping = false
  const nextRequest = (): Buffer | undefined => (stopping ? undefined : requests[next++ % requests.length])
  const portOf = (index: number) => ports[index % ports.length] ?? ports[0]
  const sockets = await Promise.all(Array.from({ length: connections }, (_, index) => open(portOf(index))))
  const lanes = sockets.map((socket) => runLane({ socket, nextRequest, tally, intervalMs }))
  return {
    reset: async () => tally.reset(),
    take: async () => tally.take(),
    async close() {
      stopping = true
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, DRAIN_TIMEOUT_MS)
      await Promise.all(lanes)
      clearTimeout(timer)
    },
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
  return socket
}

interface Lane {
  readonly socket: Socket
  readonly nextRequest: () => Buffer | undefined
  readonly tally: Tally
  readonly intervalMs: number
}

/** Resolves when the socket is closed. A lane that loses its connection ends; that is an error and shows. */
function runLane({ socket, nextRequest, tally, intervalMs }: Lane): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let startedAt = 0
  let ended = false
  let received: Buffer | undefined

  function start(): void {
    const request = nextRequest()
    if (request === undefined) {
      ended = true
      socket.destroy()
      return
    }
    startedAt = performance.now()
    socket.write(request)
  }

  socket.on('data', (chunk: Buffer) => {
    const bytes = received === undefined ? chunk : Buffer.concat([received, chunk])
    const verdict = judge(bytes)
    if (verdict === 'incomplete') {
      received = bytes
      return
    }
    received = undefined
    if (verdict === 'right') tally.answered(startedAt)
    else tally.failed(bytes.toString('latin1').slice(0, 600))
    const pauseMs = intervalMs === 0 ? 0 : startedAt + intervalMs - performance.now()
    if (pauseMs < 1) start()
    else setTimeout(start, pauseMs)
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (!ended) tally.failed('the connection was lost')
    resolve()
  })
  start()
  return promise
}

const RIGHT_END = `\r\n\r\n${EXPECTED_BODY}`
const STATUS_START = 'HTTP/1.1 '.length
const HEAD_END = Buffer.from('\r\n\r\n')

/** With one call under way on a connection, bytes that end as the right answer does are the whole of it. */
function judge(bytes: Buffer): 'right' | 'wrong' | 'incomplete' {
  const status = bytes.toString('latin1', STATUS_START, STATUS_START + 3)
  if (status === '200' && bytes.toString('latin1', Math.max(0, bytes.length - RIGHT_END.length)) === RIGHT_END)
    return 'right'
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd < 0) return 'incomplete'
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, headEnd))?.[1] ?? '0'
  return bytes.length < headEnd + HEAD_END.length + Number(length) ? 'incomplete' : 'wrong'
}
