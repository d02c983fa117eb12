import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PROBLEM_MEDIA_TYPE, ProblemError, type ProblemFields, problemBody } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { failBody } from './taken-body.ts'
import type { HttpAnswer } from './to-http.ts'

const socketCodes: Readonly<Record<string, ProblemCode>> = { HPE_HEADER_OVERFLOW: 'headers_too_large' }

/** For `clientErrorHandler`: bytes that are not HTTP, or headers that come too late. */
export function answerSocketError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const fields: ProblemFields = slow
    ? { status: 408, detail: 'The request did not arrive in time.' }
    : { detail: 'These bytes are not an HTTP request.' }
  const problem = new ProblemError(socketCodes[error.code ?? ''] ?? 'bad_request', fields)
  // Node's own name for the answer that the connection is to carry next; it looks at it, too, where nobody handles such errors.
  const { _httpMessage: owed } = socket as Socket & { readonly _httpMessage?: ServerResponse | null }
  if (owed === undefined || owed === null) writeProblem(socket, problem)
  else endWith(owed, socket, problem)
}

/**
 * What the connection owes is the answer to an earlier request, whose call may be under way: that answer says what became of it, and is
 * the last one. Where its own body can't be read to the end, whoever reads it says so; where nobody does, nobody can say what was done.
 */
function endWith(owed: ServerResponse, socket: Socket, problem: ProblemError): void {
  if (!owed.req.complete && (owed.headersSent || !failBody(owed.req, problem))) {
    socket.destroy()
    return
  }
  owed.shouldKeepAlive = false
  owed.once('finish', () => socket.destroySoon())
}

/** To a connection on which no request can be answered any more. */
export function writeProblem(socket: Duplex, problem: ProblemError): void {
  const { status, headers, body } = lastAnswer(problem)
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(`${[`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...fields].join('\r\n')}\r\n\r\n${body}`)
}

/** Of a connection, to a request that has no id. */
export function lastAnswer(problem: ProblemError): HttpAnswer {
  const body = JSON.stringify(problemBody(problem, 'about:blank'))
  const headers = {
    ...{ 'Content-Type': PROBLEM_MEDIA_TYPE, 'Content-Length': String(Buffer.byteLength(body)) },
    ...{ ...problem.fields.headers, Connection: 'close' },
  }
  return { status: problem.status, headers, body }
}
