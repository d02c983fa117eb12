import type { FastifyInstance } from 'fastify'

/** @throws when the server listens on no TCP port */
export function listeningPort({ server }: FastifyInstance): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}
