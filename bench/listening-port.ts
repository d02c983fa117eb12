import type { Server } from 'node:http'

/** @throws when the server listens on no TCP port */
export function listeningPort({ server }: { readonly server: Server }): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}
