import cluster from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { Port } from './link.ts'
import { SEAT_VARIABLE, type SeatFacts } from './seat-facts.ts'

/** A worker's process, as its primary sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined
  readonly port: Port
  kill(signal: NodeJS.Signals): void
  /** Called once. @param code `undefined`: a signal ended it, or it never began */
  onEnd(listener: (code: number | undefined, how: string) => void): void
}

const program = fileURLToPath(new URL('../bin.mjs', import.meta.url))

/** The same program with the same arguments, from source or compiled as this one is. Its listening sockets are the primary's. */
export function forkWorker(facts: SeatFacts): WorkerProcess {
  // Keeps bigints and members that are undefined, as JSON would not.
  cluster.setupPrimary({ exec: program, serialization: 'advanced' })
  const worker = cluster.fork({ [SEAT_VARIABLE]: JSON.stringify(facts) })
  return {
    pid: worker.process.pid,
    port: {
      // What can't be sent has no receiver any more; its end is told by `onEnd`.
      post: (message) => void worker.process.send?.(message as object, undefined, undefined, () => undefined),
      onMessage: (listener) => void worker.on('message', listener),
    },
    kill: (signal) => void worker.process.kill(signal),
    onEnd(listener) {
      let isTold = false
      const tell = (code: number | undefined, how: string) => {
        if (!isTold) listener(code, how)
        isTold = true
      }
      worker.on('exit', (code: number | null, signal) => {
        tell(code ?? undefined, code === null ? `signal ${signal}` : `exit code ${code}`)
      })
      worker.on('error', (error) => {
        if (worker.process.pid === undefined) tell(undefined, error.message)
      })
    },
  }
}
