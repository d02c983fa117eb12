import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../../routes/problem.ts'

/**
 * While the gateway stops, requests on connections that are still open are refused, surely unsent, and every answer ends
 * its connection: one that is kept for a next request would hold up the end.
 */
export function registerDrain(app: FastifyInstance): void {
  let draining = false
  const endUnused = trackUnused(app)
  app.addHook('preClose', async () => {
    draining = true
    endUnused()
  })
  app.addHook('onRequest', async () => {
    if (draining)
      throw new ProblemError('shutting_down', { detail: 'This replica is stopping and takes no new calls.' })
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('connection', 'close')
    done(null, payload)
  })
}

/**
 * Connections that never carried a request: browsers and load balancers open them ahead. Fastify ends those that idle
 * between two requests, but Node counts these as busy until its header timeout.
 */
function trackUnused({ server }: FastifyInstance): () => void {
  const unused = new Set<Socket>()
  server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  return () => {
    for (const socket of unused) socket.destroy()
  }
}
