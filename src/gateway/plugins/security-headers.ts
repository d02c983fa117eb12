import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * What browsers are told about every answer. Written by hand and not by a library's defaults: those upgrade plain HTTP to HTTPS, which
 * leaves `/docs` blank wherever there is no TLS.
 */
const common = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // Caches that are told nothing may keep an answer for as long as they like, and some do for a day. Routes may say otherwise.
  'cache-control': 'no-cache',
} as const

/** Answers are data; the pages of problems have styles of their own. */
const apiHeaders = {
  ...common,
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const

/** The docs page's scripts are files of this gateway; Swagger UI writes styles into its elements. */
const docsHeaders = {
  ...common,
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
} as const

export type SetHeaders = (request: FastifyRequest, reply: FastifyReply) => void

/** @param hstsSeconds 0: browsers are not told to stay with HTTPS */
export function createSecurityHeaders(hstsSeconds: number): SetHeaders {
  const hsts = hstsSeconds === 0 ? {} : { 'strict-transport-security': `max-age=${hstsSeconds}` }
  const api = { ...apiHeaders, ...hsts }
  const docs = { ...docsHeaders, ...hsts }
  return (request, reply) => void reply.headers(/^\/docs(?:\/|\?|$)/.test(request.url) ? docs : api)
}

export function registerSecurityHeaders(app: FastifyInstance, hstsSeconds: number): void {
  const set = createSecurityHeaders(hstsSeconds)
  app.addHook('onRequest', (request, reply, done) => {
    set(request, reply)
    done()
  })
}
