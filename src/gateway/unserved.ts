import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { ProblemError } from '../routes/problem.ts'
import { lastAnswer, writeProblem } from '../routes/socket-failures.ts'

/** What Node would refuse without a word, since it is no request of a server's. */

/** `Expect` with anything but `100-continue`. */
export function refuseExpectation({ headers }: IncomingMessage, response: ServerResponse): void {
  const detail = `Nothing is known of the expectation "${headers.expect?.slice(0, 64)}".`
  const answer = lastAnswer(new ProblemError('bad_request', { status: 417, detail }))
  response.writeHead(answer.status, answer.headers).end(answer.body)
}

/** `CONNECT`. */
export function refuseTunnel(_request: IncomingMessage, socket: Duplex): void {
  const detail = 'This is no proxy: it opens no tunnels.'
  const allow = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
  writeProblem(socket, new ProblemError('method_not_allowed', { detail, headers: { Allow: allow } }))
}
