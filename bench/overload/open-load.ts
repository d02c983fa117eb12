import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { argsOf } from '../work.ts'

/** One call, answered or not. */
export interface Seen {
  readonly key: string
  /** Milliseconds of `performance.now()` at which it was due. */
  readonly dueAtMs: number
  /** From when it was due, so that a generator that is late hides nothing. */
  readonly tookMs: number
  /** 0: the connection was lost, or no answer came while it was waited for. */
  readonly status: number
}

export interface OpenLoad {
  /** Calls at a steady pace, whether or not the last are answered. Resolves when all are, or none is left to wait for. */
  run(options: LoadRun): Promise<Measured>
  close(): void
}

export interface LoadRun {
  readonly seconds: number
  readonly streams: readonly Stream[]
}

export interface Stream {
  readonly perSecond: number
  /** The key of its call number n. */
  readonly keyOf: (n: number) => string
}

export interface Measured {
  readonly seen: readonly Seen[]
  /** Calls that were due and could not be sent: all connections were in use. */
  readonly unsent: number
  readonly startedAtMs: number
  readonly seconds: number
}

interface Lane {
  readonly socket: Socket
  current: { readonly key: string; readonly dueAtMs: number } | undefined
  received: string
}

const STEP_MS = 2
const LAST_ANSWERS_MS = 12_000
const HEAD_END = '\r\n\r\n'

/** HTTP/1.1 with keep-alive over a bounded number of plain sockets. */
export async function openLoad(port: number, connections: number): Promise<OpenLoad> {
  const free: Lane[] = []
  const lanes: Lane[] = []
  let seen: Seen[] = []

  function note(lane: Lane, status: number): void {
    const { current } = lane
    lane.current = undefined
    lane.received = ''
    if (current !== undefined) seen.push({ ...current, tookMs: performance.now() - current.dueAtMs, status })
  }

  async function open(): Promise<void> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const lane: Lane = { socket, current: undefined, received: '' }
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      lane.received += text
      const status = statusOf(lane.received)
      if (status === undefined) return
      note(lane, status)
      free.push(lane)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => note(lane, 0))
    lanes.push(lane)
    free.push(lane)
  }

  /** @returns whether there was a connection for it */
  function send(key: string, n: number, dueAtMs: number): boolean {
    for (let lane = free.shift(); lane !== undefined; lane = free.shift()) {
      if (lane.socket.destroyed) continue
      lane.current = { key, dueAtMs }
      lane.socket.write(requestFor(key, n))
      return true
    }
    return false
  }

  for (let n = 0; n < connections; n++) await open()
  return {
    async run({ seconds, streams }) {
      seen = []
      const startedAtMs = performance.now()
      const sent = streams.map(() => 0)
      let unsent = 0
      for (let nowMs = startedAtMs; nowMs < startedAtMs + seconds * 1_000; nowMs = performance.now()) {
        streams.forEach(({ perSecond, keyOf }, index) => {
          for (let n = sent[index] ?? 0; ; n++) {
            const dueAtMs = startedAtMs + ((n + 0.5) * 1_000) / perSecond
            sent[index] = n
            if (dueAtMs > nowMs) break
            if (!send(keyOf(n), n, dueAtMs)) unsent++
          }
        })
        await sleep(STEP_MS)
      }
      const endMs = performance.now() + LAST_ANSWERS_MS
      while (lanes.some(({ current }) => current !== undefined) && performance.now() < endMs) await sleep(10)
      for (const lane of lanes) note(lane, 0)
      return { seen, unsent, startedAtMs, seconds }
    },
    close() {
      for (const { socket } of lanes) socket.destroy()
    },
  }
}

function requestFor(key: string, n: number): string {
  const body = JSON.stringify(argsOf(n))
  return `POST /user/${key}/buy_item HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: ${body.length}${HEAD_END}${body}`
}

/** Of a whole answer; `undefined`: more is to come. */
function statusOf(text: string): number | undefined {
  const headEnd = text.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd + 2))?.[1] ?? '0')
  return text.length < headEnd + HEAD_END.length + length ? undefined : Number(text.slice(9, 12))
}
