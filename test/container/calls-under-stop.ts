import { Agent, request } from 'node:http'

/** What became of one request. `dropped`: the connection ended without an answer, so its caller knows nothing. */
export type Fate =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'not-connected' }
  | { readonly kind: 'dropped'; readonly detail: string }

export interface CallsUnderStop {
  /** Requests that were answered by 200 so far. */
  succeeded(): number
  /** Once no connection is answered by 200 any more: the last fate of each. */
  readonly lastFates: Promise<readonly Fate[]>
}

/** The same call again and again on many connections that are kept, until each is told to stop. */
export function callUntilStopped(url: string, body: object, connections: number): CallsUnderStop {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let succeeded = 0
  const run = async (): Promise<Fate> => {
    for (;;) {
      const fate = await post(agent, url, JSON.stringify(body))
      if (fate.kind !== 'answered' || fate.status !== 200) return fate
      succeeded++
    }
  }
  const lastFates = Promise.all(Array.from({ length: connections }, run)).finally(() => agent.destroy())
  return { succeeded: () => succeeded, lastFates }
}

const DEADLINE_MS = 20_000

function post(agent: Agent, url: string, body: string): Promise<Fate> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request(url, { agent, method: 'POST', headers, timeout: DEADLINE_MS })
    const fail = (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? { kind: 'not-connected' } : { kind: 'dropped', detail: String(error) })
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.once('error', fail)
    asked.once('response', (response) => {
      response.once('error', fail)
      response.once('end', () => resolve({ kind: 'answered', status: response.statusCode ?? 0 }))
      response.resume()
    })
    asked.end(body)
  })
}
