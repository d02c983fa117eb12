import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Whoever takes nothing of what waits for him for so long, in milliseconds, is gone, or wants to hold it. */
const PATIENCE_MS = 300_000
const LOOK_EVERY_MS = 30_000

/** How far a connection has got, and since when no further. */
interface Progress {
  readonly mark: string
  readonly sinceMs: number
}

/** Ends connections whose answers nobody reads: they would be held for as long as their caller likes. */
export function endStalledReaders(server: Server): void {
  const seen = new Map<Socket, Progress>()
  const look = (): void => {
    const nowMs = performance.now()
    for (const [socket, { mark, sinceMs }] of seen) {
      const now = markOf(socket)
      if (now !== mark || socket.writableLength === 0) seen.set(socket, { mark: now, sinceMs: nowMs })
      else if (nowMs - sinceMs >= PATIENCE_MS) socket.destroy()
    }
  }
  server.on('connection', (socket) => {
    seen.set(socket, { mark: '', sinceMs: performance.now() })
    socket.once('close', () => seen.delete(socket))
  })
  const timer = setInterval(look, LOOK_EVERY_MS).unref()
  server.once('close', () => clearInterval(timer))
}

/** Changes with all that leaves. A large answer is one write: how much of it the system has taken, its handle knows, as Node's own timeouts look it up. */
function markOf(socket: Socket): string {
  const { bytesWritten, writableLength, _handle } = socket as Socket & {
    readonly _handle?: { readonly writeQueueSize: number }
  }
  return `${bytesWritten - writableLength} ${_handle?.writeQueueSize}`
}
