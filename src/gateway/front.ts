import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { answerSocketError, refuseExpectation } from '../routes/socket-failures.ts'
import { GatewayRequest } from '../routes/taken-body.ts'
import type { HttpOptions } from './http-options.ts'
import { createPipelining, lastAhead } from './pipelining.ts'
import { limitServer, serverLimits } from './plugins/request-limits.ts'
import { endStalledReaders } from './stalled-readers.ts'

export type Handle = (request: IncomingMessage, response: ServerResponse) => void

export interface Address {
  readonly host: string
  readonly port: number
}

/** What listens, for as long as the process lives. Who answers is exchanged by one assignment: connections see nothing of it. */
export interface Front {
  readonly server: Server
  /** From the next request on. */
  lead(handle: Handle): void
  /** @returns where it listens, the first being the one to show */
  listen(address: Address): Promise<readonly string[]>
  /** Takes no new connections, and resolves when those that are open have ended. May be called twice. */
  close(): Promise<void>
  /** Those that don't end by themselves. */
  cut(): void
}

/** @param watch is shown each server before it listens */
export function createFront(options: HttpOptions, watch: (server: Server) => void = () => {}): Front {
  let handle: Handle = (_request, response) => void response.writeHead(503).end()
  const { http, keepAliveTimeout } = serverLimits(options)
  const servers: Server[] = []
  const take = createPipelining((request, response) => handle(request, response))

  function open(): Server {
    const made = createServer({ ...http, keepAliveTimeout, IncomingMessage: GatewayRequest }, take)
    made.on('clientError', (error, socket: Socket) => answerSocketError(error, socket, lastAhead(socket)))
    made.on('checkExpectation', refuseExpectation)
    limitServer(made, options)
    endStalledReaders(made)
    watch(made)
    servers.push(made)
    return made
  }

  const server = open()
  return {
    server,
    lead(next) {
      handle = next
    },
    async listen(address) {
      const [first = address.host, ...others] = await hostsOf(address.host)
      const port = await bind(server, { ...address, host: first })
      // That a name has a second address which nobody can use is no reason not to start.
      await Promise.all(others.map((host) => bind(open(), { host, port }).catch(() => undefined)))
      return shownHosts(first).map((host) => `http://${host}:${port}`)
    },
    async close() {
      await Promise.all(servers.map((one) => new Promise<void>((resolve) => one.close(() => resolve()))))
    },
    cut() {
      for (const one of servers) one.closeAllConnections()
    },
  }
}

/** `localhost` is 127.0.0.1 and ::1, and its users may mean either. */
async function hostsOf(host: string): Promise<readonly string[]> {
  if (host !== 'localhost') return [host]
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

async function bind(server: Server, address: Address): Promise<number> {
  const listening = once(server, 'listening')
  server.listen(address)
  await listening
  const bound = server.address()
  return typeof bound === 'object' && bound !== null ? bound.port : address.port
}

/** Everywhere is no place to go to: the addresses of this machine are, its own first. */
function shownHosts(host: string): readonly string[] {
  if (host.includes(':')) return [`[${host}]`]
  if (host !== '0.0.0.0') return [host]
  const own = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ family }) => family === 'IPv4'),
  )
  return own.sort((one, other) => Number(other.internal) - Number(one.internal)).map(({ address }) => address)
}
