import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { parseExact } from '../../src/entity-registry/exact-json.ts'

export interface BatchAnswer {
  readonly id?: string | number | bigint
  readonly line?: number
  readonly status: number
  readonly location?: string
  readonly replayed?: boolean
  readonly body?: unknown
  readonly problem?: Readonly<Record<string, unknown>>
}

/** A batch as its caller has it: writing and reading at the same time, over one connection. */
export interface OpenBatch {
  readonly sent: ClientRequest
  readonly response: IncomingMessage
  send(...lines: readonly object[]): void
  /** The next answer. */
  next(): Promise<BatchAnswer>
  /** Ends the calls, and reads the answers that are left. */
  finish(): Promise<readonly BatchAnswer[]>
  /** Those that are left, without ending the calls. */
  rest(): Promise<readonly BatchAnswer[]>
}

/** Resolves when the status is there, before any line was sent. */
export async function openBatch(url: string, more: Readonly<Record<string, string>> = {}): Promise<OpenBatch> {
  const headers = { 'content-type': 'application/x-ndjson', ...more }
  const sent = request(`${url}/-/batch`, { method: 'POST', headers })
  sent.on('error', () => undefined)
  sent.flushHeaders()
  // An http.ClientRequest's `response` event has the message alone.
  const [response] = (await once(sent, 'response', { signal: AbortSignal.timeout(5_000) })) as [IncomingMessage]
  // Made when the first answer is asked for: until then nothing is read.
  let reading: AsyncIterator<string> | undefined
  const nextLine = () => {
    reading ??= createInterface({ input: response })[Symbol.asyncIterator]()
    return reading.next()
  }

  async function rest(): Promise<readonly BatchAnswer[]> {
    const answers: BatchAnswer[] = []
    for (let line = await nextLine(); line.done !== true; line = await nextLine()) answers.push(parse(line.value))
    return answers
  }

  return {
    sent,
    response,
    send(...calls) {
      sent.write(calls.map((call) => `${JSON.stringify(call)}\n`).join(''))
    },
    async next() {
      const line = await nextLine()
      if (line.done === true) throw new Error('the answers have ended')
      return parse(line.value)
    },
    finish() {
      sent.end()
      return rest()
    },
    rest,
  }
}

/** Any body at once. */
export async function sendBatch(url: string, body: string): Promise<readonly BatchAnswer[]> {
  const batch = await openBatch(url)
  batch.sent.write(body)
  return batch.finish()
}

function parse(line: string): BatchAnswer {
  // A line of the format under test; the tests look at what they need.
  return parseExact(line) as BatchAnswer
}
