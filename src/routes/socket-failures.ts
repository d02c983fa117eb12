import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { PROBLEM_MEDIA_TYPE, ProblemError, type ProblemFields, problemBody } from './problem.ts'
import { failBody } from './taken-body.ts'
import type { HttpAnswer } from './to-http.ts'

/** Connections that end once their answers have left: what else comes over them is not looked at. */
const ending = new WeakSet<Socket>()

/**
 * For `clientErrorHandler`: bytes that are not HTTP, or headers that come too late.
 * @param last of the answers that the connection owes, where it owes several
 */
export function answerSocketError(error: NodeJS.ErrnoException, socket: Socket, last?: ServerResponse): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  if (ending.has(socket)) return
  const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
  const fields: ProblemFields = slow
    ? { status: 408, detail: 'The request did not arrive in time.', retry: 'safe' }
    : { detail: 'These bytes are not an HTTP request.' }
  const problem = new ProblemError(error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'bad_request', fields)
  // Node's own name for the answer that the connection is to carry next; it looks at it, too, where nobody handles such errors.
  const { _httpMessage: next } = socket as Socket & { readonly _httpMessage?: ServerResponse | null }
  if (next === undefined || next === null) writeProblem(socket, problem)
  else endAfter(last ?? next, socket, problem)
}

/**
 * What the connection owes are the answers to earlier requests, whose calls may be under way: they say what became of them. Where the body
 * of the last one can't be read to its end, whoever reads it says so; where nobody does, nobody can say what was done.
 */
function endAfter(last: ServerResponse, socket: Socket, problem: ProblemError): void {
  last.shouldKeepAlive = false
  if (!last.req.complete && (last.headersSent || !failBody(last.req, problem))) {
    socket.destroy()
    return
  }
  ending.add(socket)
  // Its head may have been written before.
  last.once('finish', () => socket.destroySoon())
}

/** To a connection on which no request can be answered any more. */
function writeProblem(socket: Socket, problem: ProblemError): void {
  const { status, headers, body } = lastAnswer(problem)
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  socket.end(`${[`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...fields].join('\r\n')}\r\n\r\n${body}`)
}

/** `Expect` with anything but `100-continue`, which Node would refuse without a word. */
export function refuseExpectation({ headers }: IncomingMessage, response: ServerResponse): void {
  const detail = `Nothing is known of the expectation "${headers.expect?.slice(0, 64)}".`
  const answer = lastAnswer(new ProblemError('bad_request', { status: 417, detail }))
  response.writeHead(answer.status, answer.headers).end(answer.body)
}

/** Of a connection, to a request that has no id. */
function lastAnswer(problem: ProblemError): HttpAnswer {
  const body = JSON.stringify(problemBody(problem, 'about:blank'))
  const headers = {
    ...{ 'Content-Type': PROBLEM_MEDIA_TYPE, 'Content-Length': String(Buffer.byteLength(body)) },
    ...{ ...problem.fields.headers, Connection: 'close' },
  }
  return { status: problem.status, headers, body }
}
