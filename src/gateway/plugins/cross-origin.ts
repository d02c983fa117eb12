import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ProblemError } from '../../routes/problem.ts'

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** What pages may send: the headers that the gateway reads. */
const REQUEST_HEADERS =
  'Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Traceparent, Tracestate, X-Api-Key'
/** What pages may read beside the headers that they always may. */
const RESPONSE_HEADERS =
  'Deprecation, ETag, Idempotency-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, Sunset, WWW-Authenticate'
const PREFLIGHT_SECONDS = '600'
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/**
 * Pages of other origins: only listed ones may read answers. What changes something is refused to all others where the browser says
 * that it comes from one, since a gateway that trusts its network is reached by every page that somebody in it opens.
 */
export function registerCrossOrigin(app: FastifyInstance, origins: readonly string[]): void {
  const allowListed = createOriginHeaders(origins)
  app.addHook('onRequest', (request, reply, done) => {
    if (allowListed(request, reply)) {
      if (isPreflight(request)) return answerPreflight(reply)
    } else if (isForeign(request) && !SAFE_METHODS.includes(request.method)) {
      const detail = 'Pages of this origin may not call the gateway.'
      return done(new ProblemError('forbidden', { detail, hint: 'GATEWAY_CORS_ORIGINS lists those that may.' }))
    }
    done()
  })
  if (origins.length === 0) return
  // Last of all, since routes say what their answers vary by too.
  app.addHook('onSend', (_request, reply, payload, done) => {
    const vary = reply.getHeader('vary')
    reply.header('vary', vary === undefined ? 'Origin' : `${String(vary)}, Origin`)
    done(null, payload)
  })
}

/** Lets pages of listed origins read the answer. @returns whether the request is of such a page */
export function createOriginHeaders(
  origins: readonly string[],
): (request: FastifyRequest, reply: FastifyReply) => boolean {
  const allowed = new Set(origins.map((origin) => origin.toLowerCase()))
  return ({ headers: { origin } }, reply) => {
    if (origin === undefined || !allowed.has(origin)) return false
    allow(reply, origin)
    return true
  }
}

/** Browsers tell where a page is from by `Sec-Fetch-Site`, but not to plain HTTP under another name than localhost: there `Origin` tells. */
function isForeign({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'cross-site' || site === 'same-site'
  const { origin, host } = headers
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host?.toLowerCase())
}

function allow(reply: FastifyReply, origin: string): void {
  reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', RESPONSE_HEADERS)
  // A resource of another origin is asked for with CORS or not at all.
  reply.header('cross-origin-resource-policy', 'cross-origin')
}

function answerPreflight(reply: FastifyReply): void {
  reply.header('access-control-allow-methods', METHODS).header('access-control-allow-headers', REQUEST_HEADERS)
  reply.header('access-control-max-age', PREFLIGHT_SECONDS).code(204).send()
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
}
