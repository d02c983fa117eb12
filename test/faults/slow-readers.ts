import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface SlowReaders {
  readonly count: number
  close(): void
}

/** Asks for the events of invocations, and takes not one byte of them. */
export async function openSlowReaders(url: string, locations: readonly string[]): Promise<SlowReaders> {
  const { hostname, port, host } = new URL(url)
  const sockets = await Promise.all(
    locations.map(async (location): Promise<Socket> => {
      const socket = connect(Number(port), hostname)
      // Its replica may be killed while the stream is open.
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.pause()
      socket.write(`GET ${location}/events HTTP/1.1\r\nHost: ${host}\r\nAccept: text/event-stream\r\n\r\n`)
      return socket
    }),
  )
  return {
    count: sockets.length,
    close() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
