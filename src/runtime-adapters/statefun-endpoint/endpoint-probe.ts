import { connect } from 'node:net'
import type { HealthCheck } from '../contract.ts'
import type { EndpointDirectory } from './endpoint-directory.ts'

/** Milliseconds an endpoint has to take a connection, so that a health check ends within its second. */
const PATIENCE_MS = 700
/** Milliseconds an answer stays good: probes must not become load. */
const FRESH_MS = 2_000
/** Endpoints with a function's name in their host may be many. */
const MAX_PROBED = 20

/** Whether functions' endpoints take connections: a question to a function would be a call. */
export interface EndpointProbe {
  check(): Promise<readonly HealthCheck[]>
  close(): void
}

export function createEndpointProbe(directory: EndpointDirectory): EndpointProbe {
  const closing = new AbortController()
  let last: { readonly atMs: number; readonly checks: Promise<readonly HealthCheck[]> } | undefined

  const ask = () => {
    const hosts = new Map(directory.endpoints.map(({ url }) => [url.host, url]))
    return Promise.all([...hosts.values()].slice(0, MAX_PROBED).map((url) => probe(url, closing.signal)))
  }

  return {
    check() {
      const nowMs = performance.now()
      if (last === undefined || nowMs - last.atMs > FRESH_MS) last = { atMs: nowMs, checks: ask() }
      return last.checks
    },
    close: () => closing.abort(),
  }
}

function probe(url: URL, signal: AbortSignal): Promise<HealthCheck> {
  const { promise, resolve } = Promise.withResolvers<HealthCheck>()
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80))
  const socket = connect({ port, host: url.hostname.replace(/^\[|\]$/g, ''), signal })
  const name = `endpoint ${url.host}`
  const end = (ok: boolean, detail: string) => {
    clearTimeout(timer)
    socket.destroy()
    resolve({ name, ok, detail })
  }
  const timer = setTimeout(() => end(false, `It took no connection within ${PATIENCE_MS} ms.`), PATIENCE_MS)
  socket.on('connect', () => end(true, 'It takes connections.'))
  socket.on('error', ({ message }) => end(false, message))
  return promise
}
