import { performance } from 'node:perf_hooks'
import type { HttpReach } from './contender.ts'
import { type HttpConnection, openConnection } from './http-connection.ts'
import { createTally, type Measured, type Tally } from './load.ts'
import type { Pause } from './pauses.ts'

/** A call that took too long, from when it was to be sent until its answer. */
export type SlowCall = Pause

export interface OpenLoopMeasured extends Measured {
  /** Those that have no answer yet last until now. */
  readonly slow: readonly SlowCall[]
  /** How many of the slow ones have no answer yet: they are under way, or wait for a connection. */
  readonly unanswered: number
  /** When the load generator itself stood still: calls were neither sent nor their answers read. */
  readonly stalls: readonly Pause[]
}

/** Calls are sent at times that were fixed beforehand, whatever becomes of those before. */
export interface OpenLoop {
  reset(): void
  take(): OpenLoopMeasured
  close(): Promise<void>
}

export interface OpenLoopOptions {
  readonly reach: HttpReach
  readonly ratePerS: number
  readonly connections: number
}

/** From here on a call is looked at one by one. */
const SLOW_MS = 250
const TICK_MS = 1
/** Milliseconds between two ticks from which on they are too far apart. */
const STALL_MS = 25
const DRAIN_TIMEOUT_MS = 5_000

/**
 * A call's latency begins when it was planned to be sent: one that had to wait for a connection, because all of them waited for
 * answers, waited as its caller would have.
 */
export async function startOpenLoop({ reach, ratePerS, connections }: OpenLoopOptions): Promise<OpenLoop> {
  const { ports, requests } = reach
  const record = createRecord()
  const queue = createQueue<number>()
  const plan = createPlan(performance.now(), ratePerS)
  // The one that has rested longest is next: a server hangs up on those who never call.
  const idle = createQueue<Caller>()
  let sent = 0

  function sendDue(): void {
    const now = performance.now()
    record.ticked(now)
    for (const plannedAt of plan.dueUntil(now)) queue.push(plannedAt)
    sendWaiting()
  }

  function sendWaiting(): void {
    while (queue.size > 0 && idle.size > 0) {
      const [caller, plannedAt, request] = [idle.shift(), queue.shift(), requests[sent++ % requests.length]]
      if (caller !== undefined && plannedAt !== undefined && request !== undefined) caller.call(request, plannedAt)
    }
  }

  const onIdle = (caller: Caller): void => {
    idle.push(caller)
    sendWaiting()
  }
  const open = (index: number) => {
    const port = ports[index % ports.length] ?? ports[0]
    return openCaller({ port, record, onIdle })
  }
  const callers = await Promise.all(Array.from({ length: connections }, (_, index) => open(index)))
  plan.restart(performance.now())
  const timer = setInterval(sendDue, TICK_MS)
  return {
    reset: record.reset,
    take: () => record.take([...queue.items(), ...callers.flatMap(({ plannedAt }) => plannedAt ?? [])]),
    async close() {
      clearInterval(timer)
      // What is planned and was not sent yet never will be.
      queue.clear()
      const deadline = performance.now() + DRAIN_TIMEOUT_MS
      while (callers.some(({ plannedAt }) => plannedAt !== undefined) && performance.now() < deadline) await nextTick()
      await Promise.all(callers.map((caller) => caller.close()))
    },
  }
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}

interface Plan {
  /** Times at which calls were due since the last question, in order. */
  dueUntil(now: number): readonly number[]
  restart(now: number): void
}

/** Evenly spaced; no time is left out, however late one asks. */
export function createPlan(start: number, ratePerS: number): Plan {
  const intervalMs = 1_000 / ratePerS
  let next = start
  return {
    dueUntil(now) {
      const due: number[] = []
      for (; next <= now; next += intervalMs) due.push(next)
      return due
    },
    restart(now) {
      next = now
    },
  }
}

interface Queue<T> {
  readonly size: number
  push(item: T): void
  shift(): T | undefined
  items(): readonly T[]
  clear(): void
}

/** First in, first out; cheap also when thousands wait. */
function createQueue<T>(): Queue<T> {
  let items: T[] = []
  let head = 0
  const clear = (): void => {
    items = []
    head = 0
  }
  return {
    clear,
    get size() {
      return items.length - head
    },
    items: () => items.slice(head),
    push: (item) => void items.push(item),
    shift() {
      const first = items[head++]
      if (head >= items.length) clear()
      else if (head === COMPACT_AT) {
        items = items.slice(head)
        head = 0
      }
      return first
    },
  }
}

/** Items that were taken and still hold their places. */
const COMPACT_AT = 1_024

interface CallRecord extends Pick<Tally, 'answered' | 'failed' | 'reset'> {
  ticked(now: number): void
  /** @param planned times of the calls that have no answer yet */
  take(planned: readonly number[]): OpenLoopMeasured
}

function createRecord(): CallRecord {
  const tally = createTally()
  let slow: SlowCall[] = []
  let stalls: Pause[] = []
  let lastTick = performance.now()
  return {
    ticked(now) {
      if (now - lastTick >= STALL_MS) stalls.push(sinceEpoch(lastTick, now))
      lastTick = now
    },
    answered(plannedAt) {
      tally.answered(plannedAt)
      const now = performance.now()
      if (now - plannedAt < SLOW_MS) return
      slow.push(sinceEpoch(plannedAt, now))
    },
    failed: tally.failed,
    reset() {
      tally.reset()
      slow = []
      stalls = []
    },
    take(planned) {
      const now = performance.now()
      const late = planned.filter((plannedAt) => now - plannedAt >= SLOW_MS).map((start) => sinceEpoch(start, now))
      return { ...tally.take(), slow: [...slow, ...late], unanswered: late.length, stalls: [...stalls] }
    },
  }
}

function sinceEpoch(start: number, end: number): Pause {
  return { startMs: performance.timeOrigin + start, endMs: performance.timeOrigin + end }
}

interface Caller {
  /** Of the call under way. */
  readonly plannedAt: number | undefined
  call(request: Buffer, plannedAt: number): void
  close(): Promise<void>
}

interface CallerOptions {
  readonly port: number
  readonly record: CallRecord
  readonly onIdle: (caller: Caller) => void
}

async function openCaller({ port, record, onIdle }: CallerOptions): Promise<Caller> {
  let underWay: number | undefined
  const onAnswer = (fault: string | undefined): void => {
    const planned = underWay
    // What nobody asked for is the server's last word before it hangs up.
    if (planned === undefined) return
    underWay = undefined
    if (fault === undefined) record.answered(planned)
    else record.failed(fault)
    onIdle(caller)
  }
  const connection: HttpConnection = await openConnection({ port, onAnswer })
  let closing = false
  void connection.closed.then(() => {
    underWay = undefined
    if (!closing) record.failed('the connection was lost')
  })
  const caller: Caller = {
    get plannedAt() {
      return underWay
    },
    call(request, plannedAt) {
      underWay = plannedAt
      connection.send(request)
    },
    close() {
      closing = true
      connection.close()
      return connection.closed
    },
  }
  onIdle(caller)
  return caller
}
