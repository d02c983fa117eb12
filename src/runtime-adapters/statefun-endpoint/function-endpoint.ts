import { Pool } from 'undici'
import { type Exchange, ExchangeHandler, MEDIA_TYPE } from './exchange.ts'

const HEADERS = [
  ...['content-type', MEDIA_TYPE],
  ...['accept', MEDIA_TYPE],
  ...['accept-encoding', 'gzip, deflate'],
  ...['user-agent', 'statefun'],
]

/** Where functions are, over HTTP/1.1 with connections that are used again. Follows no redirects. */
export interface FunctionEndpoint {
  readonly url: URL
  /** One request. Never rejects. */
  post(body: Buffer, timeoutMs: number): Promise<Exchange>
  /** Ends requests under way, and takes no others. */
  close(): void
}

export interface FunctionEndpointOptions {
  readonly url: URL
  readonly connectTimeoutMs: number
  readonly maxConnections: number
}

export function createFunctionEndpoint(options: FunctionEndpointOptions): FunctionEndpoint {
  const { url, connectTimeoutMs, maxConnections: connections } = options
  const path = `${url.pathname}${url.search}`
  const closing = new AbortController()
  // A request has one time for everything, which `ExchangeHandler` keeps.
  const noTimeouts = { headersTimeout: 0, bodyTimeout: 0 }
  // What is connecting would outlive the pool.
  const connect = { signal: closing.signal }
  const pool = new Pool(url.origin, {
    ...{ connections, connect, connectTimeout: connectTimeoutMs, allowH2: false, ...noTimeouts },
  })

  return {
    url,
    post(body, timeoutMs) {
      if (closing.signal.aborted) return Promise.resolve({ kind: 'unreached', detail: 'The gateway stops.' })
      const { promise, resolve } = Promise.withResolvers<Exchange>()
      pool.dispatch({ path, method: 'POST', headers: HEADERS, body }, new ExchangeHandler(timeoutMs, resolve))
      return promise
    },
    close() {
      if (closing.signal.aborted) return
      void pool.destroy(new Error('The gateway stops.'))
      closing.abort()
    },
  }
}
