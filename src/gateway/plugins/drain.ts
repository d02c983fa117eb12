import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../../routes/problem.ts'

/** Milliseconds of lingering, at most: requests that were on their way when the end began have come by then. */
const LINGER_MS = 250
/** The share of the grace that may be lingered away. */
const LINGER_SHARE = 0.25

/**
 * While the gateway stops, requests are refused, surely unsent, and every answer ends its connection: one that is kept for a
 * next request would hold up the end. Connections without a request are kept for a moment: one may be on its way, and to cut
 * it off would leave its caller in doubt.
 * @param graceMs that the gateway has to stop
 * @returns whether it is stopping
 */
export function registerDrain(app: FastifyInstance, graceMs: number): () => boolean {
  const lingerMs = Math.min(LINGER_MS, graceMs * LINGER_SHARE)
  let draining = false
  const connections = trackConnections(app)
  app.addHook('preClose', async () => {
    draining = true
    if (connections.all.size > 0) await new Promise((resolve) => setTimeout(resolve, lingerMs))
    // Fastify ends those that idle between two requests, but Node counts one without any as busy until its header timeout.
    for (const socket of connections.unused) socket.destroy()
  })
  app.addHook('onRequest', (_request, _reply, done) => {
    if (draining) {
      done(new ProblemError('shutting_down', { detail: 'This replica is stopping and takes no new calls.' }))
    } else done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close')
    done(null, payload)
  })
  return () => draining
}

interface Connections {
  readonly all: ReadonlySet<Socket>
  /** Never carried a request: browsers and load balancers open them ahead. */
  readonly unused: ReadonlySet<Socket>
}

function trackConnections({ server }: FastifyInstance): Connections {
  const all = new Set<Socket>()
  const unused = new Set<Socket>()
  server.on('connection', (socket) => {
    all.add(socket)
    unused.add(socket)
    socket.once('close', () => {
      all.delete(socket)
      unused.delete(socket)
    })
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  return { all, unused }
}
