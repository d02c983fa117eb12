import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Whoever takes nothing of what waits for him for so long, in milliseconds, is gone, or wants to hold it. */
const PATIENCE_MS = 300_000
const LOOK_EVERY_MS = 30_000

/** What a connection has taken so far, and since when nothing more. */
interface Taken {
  readonly bytes: number
  readonly sinceMs: number
}

/** Ends connections whose answers nobody reads: they would be held for as long as their caller likes. */
export function endStalledReaders(server: Server): void {
  const seen = new Map<Socket, Taken>()
  const look = (): void => {
    const nowMs = performance.now()
    for (const [socket, { bytes, sinceMs }] of seen) {
      const now = takenBy(socket)
      if (now !== bytes || socket.writableLength === 0) seen.set(socket, { bytes: now, sinceMs: nowMs })
      else if (nowMs - sinceMs >= PATIENCE_MS) socket.destroy()
    }
  }
  server.on('connection', (socket) => {
    seen.set(socket, { bytes: 0, sinceMs: performance.now() })
    socket.once('close', () => seen.delete(socket))
  })
  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  server.once('close', () => clearInterval(timer))
}

/** Bytes that have left for it; what waits to leave counts as written, too. */
function takenBy({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength
}
