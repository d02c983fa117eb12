import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../../routes/problem.ts'
import { lastAhead } from '../pipelining.ts'

/** Milliseconds of lingering, at most: requests that were on their way when the end began have come by then. */
const LINGER_MS = 250
/** The share of the grace that may be lingered away. */
const LINGER_SHARE = 0.25

export interface Drain {
  /** Servers whose connections are drained, before they listen. */
  watch(server: Server): void
  readonly isDraining: () => boolean
  /** Resolves when the servers can be closed. */
  begin(): Promise<void>
}

/**
 * While the gateway stops, requests are refused, surely unsent, and every answer ends its connection: one that is kept for a
 * next request would hold up the end. Connections without a request are kept for a moment: one may be on its way, and to cut
 * it off would leave its caller in doubt.
 * @param graceMs that the gateway has to stop
 */
export function createDrain(graceMs: number): Drain {
  const lingerMs = Math.min(LINGER_MS, graceMs * LINGER_SHARE)
  const all = new Set<Socket>()
  let draining = false
  return {
    isDraining: () => draining,
    watch(server) {
      server.on('connection', (socket) => {
        all.add(socket)
        socket.once('close', () => all.delete(socket))
      })
    },
    async begin() {
      draining = true
      if (all.size > 0) await new Promise((resolve) => setTimeout(resolve, lingerMs))
      // The server ends those that idle between two requests, but Node counts one on which nothing has come as busy until its header
      // timeout. Browsers and load balancers open such ones ahead.
      for (const socket of all) if (socket.bytesRead === 0) socket.destroy()
    },
  }
}

/** What a request meets whose gateway stops. */
export function refuseWhileDraining(app: FastifyInstance, { isDraining }: Pick<Drain, 'isDraining'>): void {
  app.addHook('onRequest', (_request, _reply, done) => {
    if (isDraining()) {
      done(new ProblemError('shutting_down', { detail: 'This replica is stopping and takes no new calls.' }))
    } else done()
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    if (isDraining() && isLast(request, reply)) reply.header('connection', 'close')
    done(null, payload)
  })
}

/** An answer that ends its connection takes those away that are to follow. */
function isLast({ raw: { socket } }: FastifyRequest, { raw }: FastifyReply): boolean {
  const last = lastAhead(socket)
  return last === undefined || last === raw
}
