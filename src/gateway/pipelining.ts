import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Handle } from './front.ts'

/** Requests of one connection that are under way at once, beside the one whose answer is next. */
const AT_ONCE = 32
/** Requests that may wait behind them; whoever sends more is cut off. */
const MAX_WAITING = 1_024

/** What one connection has sent before its earlier requests were answered. */
interface Line {
  readonly begun: Set<ServerResponse>
  readonly waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[]
}

const lines = new WeakMap<Socket, Line>()

/**
 * Clients may send requests ahead of the answers to earlier ones (RFC 9112, section 9.3.2), and their answers leave in that order. Node hands over
 * all that come in one packet, which can be a thousand: each would hold what it has opened for as long as nobody reads.
 */
export function createPipelining(handle: Handle): Handle {
  function begin(line: Line, request: IncomingMessage, response: ServerResponse): void {
    line.begun.add(response)
    response.once('close', () => {
      line.begun.delete(response)
      const next = line.waiting.shift()
      if (next !== undefined) begin(line, next.request, next.response)
    })
    handle(request, response)
  }

  return (request, response) => {
    // The connection is given to the answer that is next, so the usual request has it.
    if (response.socket !== null) return handle(request, response)
    const line = lineOf(request.socket)
    if (line.begun.size < AT_ONCE) begin(line, request, response)
    else if (line.waiting.length < MAX_WAITING) line.waiting.push({ request, response })
    else request.socket.destroy()
  }
}

/** The last answer that the connection owes behind the one that is next: whatever ends the connection must end it there. */
export function lastAhead(socket: Socket): ServerResponse | undefined {
  const line = lines.get(socket)
  return line?.waiting.at(-1)?.response ?? [...(line?.begun ?? [])].at(-1)
}

function lineOf(socket: Socket): Line {
  const known = lines.get(socket)
  if (known !== undefined) return known
  const made: Line = { begun: new Set(), waiting: [] }
  lines.set(socket, made)
  socket.once('close', () => {
    made.waiting.length = 0
    for (const response of made.begun) closeUnsent(response)
  })
  return made
}

/** Of an answer that was never given its connection, Node does not say that it is gone with it. */
function closeUnsent(response: ServerResponse): void {
  if (response.socket !== null || response.destroyed) return
  response.destroyed = true
  response.emit('close')
}
