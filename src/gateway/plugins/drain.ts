import type { FastifyInstance } from 'fastify'
import { ProblemError } from '../../routes/problem.ts'

/** While the gateway stops, requests on connections that are still open are refused, surely unsent, and the connection is closed. */
export function registerDrain(app: FastifyInstance): void {
  let draining = false
  app.addHook('preClose', async () => {
    draining = true
  })
  app.addHook('onRequest', async (_request, reply) => {
    if (!draining) return
    reply.header('connection', 'close')
    throw new ProblemError('shutting_down', { detail: 'This replica is stopping and takes no new calls.' })
  })
}
