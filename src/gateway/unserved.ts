import type { IncomingMessage, ServerResponse } from 'node:http'
import { ProblemError } from '../routes/problem.ts'
import { lastAnswer } from '../routes/socket-failures.ts'

/** `Expect` with anything but `100-continue`, which Node would refuse without a word. */
export function refuseExpectation({ headers }: IncomingMessage, response: ServerResponse): void {
  const detail = `Nothing is known of the expectation "${headers.expect?.slice(0, 64)}".`
  const answer = lastAnswer(new ProblemError('bad_request', { status: 417, detail }))
  response.writeHead(answer.status, answer.headers).end(answer.body)
}
