import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { createTally, type Load, type Tally } from './load.ts'
import { argsOf, EXPECTED_BODY, KEYS, userOf } from './work.ts'

export interface BatchLoadOptions {
  readonly port: number
  /** Calls under way at once: sent and not answered. */
  readonly window: number
}

const CONNECT_TIMEOUT_MS = 5_000
const DRAIN_TIMEOUT_MS = 5_000

/** One batch without an end over a plain socket: as many calls under way as the window holds, each answer lets the next one go. */
export async function openBatchLoad({ port, window }: BatchLoadOptions): Promise<Load> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
  socket.write(
    `POST /-/batch HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`,
  )
  const tally = createTally()
  const closed = once(socket, 'close')
  const stream = runStream({ socket, tally, window })
  return {
    reset: async () => tally.reset(),
    take: async () => tally.take(),
    async close() {
      const timer = setTimeout(() => socket.destroy(), DRAIN_TIMEOUT_MS)
      stream.stop()
      await closed
      clearTimeout(timer)
    },
  }
}

interface Stream {
  readonly socket: Socket
  readonly tally: Tally
  readonly window: number
}

function runStream({ socket, tally, window }: Stream): { stop(): void } {
  const lines = Array.from({ length: KEYS }, (_, index) => lineOf(index))
  /** When the call of each id was sent; ids go round. */
  const startedAt = new Float64Array(KEYS)
  let next = 0
  let underWay = 0
  let stopping = false
  let received = ''

  /** As many calls as there is room for, in one chunk. */
  function send(): void {
    if (stopping || underWay >= window) return
    const now = performance.now()
    let chunk = ''
    for (; underWay < window; underWay++) {
      startedAt[next] = now
      chunk += lines[next]
      next = (next + 1) % KEYS
    }
    socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`)
  }

  function take(line: string): void {
    // Chunk sizes and the answer's head are lines too; only answers begin with an id.
    const id = /^\{"id":(\d+),"status":(.*)$/.exec(line)
    if (id === null) return
    underWay--
    if (id[2] === RIGHT_END) tally.answered(startedAt[Number(id[1])] ?? 0)
    else tally.failed(line.slice(0, 600))
  }

  socket.on('data', (bytes: Buffer) => {
    const all = (received + bytes.toString('latin1')).split('\n')
    received = all.pop() ?? ''
    for (const line of all) take(line)
    if (stopping && underWay === 0) socket.destroy()
    send()
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (!stopping) tally.failed('the connection was lost')
  })
  send()
  return {
    stop() {
      stopping = true
      if (underWay === 0) socket.destroy()
    },
  }
}

const RIGHT_END = `200,"body":${EXPECTED_BODY}}`

function lineOf(index: number): string {
  return `${JSON.stringify({ id: index, entity: 'user', key: userOf(index), method: 'buy_item', args: argsOf(index) })}\n`
}
