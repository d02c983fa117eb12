import { performance } from 'node:perf_hooks'
import { openConnection } from './http-connection.ts'
import { createLatencies } from './latencies.ts'

/** What was seen since the last `reset`. */
export interface Measured {
  readonly calls: number
  readonly errors: number
  /** The first error, in words. */
  readonly firstError?: string
  readonly elapsedMs: number
  readonly p50Us: number
  readonly p99Us: number
  readonly maxUs: number
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
      const [p50Us = 0, p99Us = 0, maxUs = 0] = latencies.percentiles(50, 99, 100)
      return { calls, errors, elapsedMs, p50Us, p99Us, maxUs, ...(firstError === undefined ? {} : { firstError }) }
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

const DRAIN_TIMEOUT_MS = 5_000
/** What a stall has held up for longer is not caught up with. */
const MAX_BEHIND_MS = 1_000

export async function openHttpLoad({ ports, connections, requests, intervalMs = 0 }: HttpLoadOptions): Promise<Load> {
  const tally = createTally()
  let next = 0
  let stopping = false
  /** Lanes that have ended too early: an error in every window since. */
  let lost = 0
  const nextRequest = (): Buffer | undefined => (stopping ? undefined : requests[next++ % requests.length])
  const portOf = (index: number) => ports[index % ports.length] ?? ports[0]
  const lanes = await Promise.all(
    Array.from({ length: connections }, (_, index) =>
      openLane({ port: portOf(index), nextRequest, tally, intervalMs, onLost: () => lost++ }),
    ),
  )
  for (const { start } of lanes) start()
  return {
    reset: async () => tally.reset(),
    async take() {
      const measured = tally.take()
      const firstError = measured.firstError ?? `${lost} connections were lost`
      return lost === 0 ? measured : { ...measured, errors: measured.errors + lost, firstError }
    },
    async close() {
      stopping = true
      const timer = setTimeout(() => {
        for (const { cut } of lanes) cut()
      }, DRAIN_TIMEOUT_MS)
      await Promise.all(lanes.map(({ closed }) => closed))
      clearTimeout(timer)
    },
  }
}

interface LaneOptions {
  readonly port: number
  readonly nextRequest: () => Buffer | undefined
  readonly tally: Tally
  readonly intervalMs: number
  readonly onLost: () => void
}

interface Lane {
  start(): void
  cut(): void
  readonly closed: Promise<void>
}

/** A lane that loses its connection ends. */
async function openLane({ port, nextRequest, tally, intervalMs, onLost }: LaneOptions): Promise<Lane> {
  let startedAt = 0
  let dueAt = performance.now()
  let ended = false
  const onAnswer = (fault: string | undefined): void => {
    if (fault === undefined) tally.answered(startedAt)
    else tally.failed(fault)
    const nowMs = performance.now()
    // From when it was due, so that a timer that is late does not make all calls fewer.
    dueAt = Math.max(dueAt + intervalMs, nowMs - MAX_BEHIND_MS)
    if (intervalMs === 0 || dueAt - nowMs < 1) start()
    else setTimeout(start, dueAt - nowMs)
  }
  const connection = await openConnection({ port, onAnswer })
  const closed = connection.closed.then(() => {
    if (!ended) onLost()
  })

  function start(): void {
    const request = nextRequest()
    if (request === undefined) {
      ended = true
      connection.close()
      return
    }
    startedAt = performance.now()
    connection.send(request)
  }

  return { start, cut: connection.close, closed }
}
