import type { Server } from 'node:http'
import process from 'node:process'

/** What grows in a process that does not let go of things. */
export interface LeftOver {
  /** After the garbage was collected; the process was started with `--expose-gc`. */
  readonly heapBytes: number
  /** Timers that hold the process. */
  readonly timers: number
  /** Sockets, pipes, requests to the system and the like. */
  readonly handles: number
  /** On the server and on the process. */
  readonly listeners: number
}

export function leftOver(server: Server): LeftOver {
  // Once for what is not reached, once for what its finalizers let go of.
  globalThis.gc?.()
  globalThis.gc?.()
  const resources = process.getActiveResourcesInfo()
  const timers = resources.filter((name) => name === 'Timeout').length
  return {
    heapBytes: process.memoryUsage().heapUsed,
    timers,
    handles: resources.length - timers,
    listeners: listenersOf(server) + listenersOf(process),
  }
}

function listenersOf(emitter: Pick<Server, 'eventNames' | 'listenerCount'> | NodeJS.Process): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}
