import type { IncomingMessage, Server } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { BATCH_PATH } from '../../routes/batch-schema.ts'
import { ProblemError } from '../../routes/problem.ts'
import { failBody } from '../../routes/taken-body.ts'
import type { HttpOptions } from '../http-options.ts'

/** Node looks for connections whose headers are late in this rhythm, in milliseconds. */
const CHECK_EVERY_MS = 1_000

/** What Node itself has to be told when the server is made. */
export function serverLimits(options: HttpOptions) {
  const { maxHeaderBytes, headersTimeoutMs, keepAliveMs } = options
  return {
    keepAliveTimeout: keepAliveMs,
    http: {
      // Of a whole request: Node knows no exception for batches, which are as long as they are. Bodies have a timer of their own.
      requestTimeout: 0,
      maxHeaderSize: maxHeaderBytes,
      // Node would refuse without a word; a hook below does.
      requireHostHeader: false,
      headersTimeout: headersTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_EVERY_MS, headersTimeoutMs),
    },
  }
}

/** What can be said to a server that is there already. */
export function limitServer(server: Server, { maxHeaders, maxConnections }: HttpOptions): void {
  server.maxConnections = maxConnections
  // Node forgets headers over its limit without a word, a credential among them perhaps; one more, and they can be counted.
  server.maxHeadersCount = maxHeaders + 1
}

export function registerRequestLimits(app: FastifyInstance, options: HttpOptions): void {
  const { maxHeaders, bodyTimeoutMs } = options
  const limitBody = createBodyLimit(bodyTimeoutMs)
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    if (raw.rawHeaders.length > 2 * maxHeaders) {
      done(new ProblemError('headers_too_large', { detail: `A request may have ${maxHeaders} headers.` }))
    } else if (raw.headers.host === undefined && raw.httpVersion !== '1.0') {
      done(new ProblemError('bad_request', { detail: 'The request has no Host header (RFC 9112, section 3.2).' }))
    } else done()
  })
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (hasBody(request)) limitBody(request)
    done(null, payload)
  })
  // Who is refused before his body is read has no such timer yet, a batch has none at all: what is still to come is read, since
  // a connection that is cut takes the answer with it, but not for ever.
  app.addHook('onError', (request, _reply, _error, done) => {
    if (!request.raw.complete) limitRest(request, bodyTimeoutMs)
    done()
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/** A batch is as long as it is, and has a limit of its own. */
function isBatch({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.url === BATCH_PATH
}

/** Most bodies come with their headers and are there at the end of the turn; only the others need a timer. */
function createBodyLimit(bodyTimeoutMs: number): (request: FastifyRequest) => void {
  let begun: FastifyRequest[] = []
  const look = (): void => {
    const seen = begun
    begun = []
    for (const request of seen) if (!isThere(request.raw) && !isBatch(request)) timeBody(request.raw, bodyTimeoutMs)
  }
  return (request) => {
    if (begun.push(request) === 1) setImmediate(look)
  }
}

function isThere({ complete, readableEnded, destroyed }: IncomingMessage): boolean {
  return complete || readableEnded || destroyed
}

/** A body that comes one byte a minute would hold its connection, and what was read of it, for as long as its sender likes. */
function timeBody(raw: IncomingMessage, bodyTimeoutMs: number): void {
  const timer = setTimeout(() => {
    const detail = `The body did not arrive in ${bodyTimeoutMs} ms.`
    const late = new ProblemError('bad_request', { status: 408, detail, retry: 'safe' })
    // Once the request is refused nobody reads.
    if (!failBody(raw, late)) raw.destroy()
  }, bodyTimeoutMs)
  const clear = () => clearTimeout(timer)
  raw.once('end', clear).once('close', clear)
}

/** There is nobody left to be told of it. */
function limitRest({ raw }: FastifyRequest, bodyTimeoutMs: number): void {
  const timer = setTimeout(() => {
    // All of it may have come while an earlier answer of the connection is still waited for.
    if (!raw.complete) raw.destroy()
  }, bodyTimeoutMs)
  const clear = () => clearTimeout(timer)
  raw.once('end', clear).once('close', clear)
}
