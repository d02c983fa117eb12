import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import type { EntityRegistry, IsShown } from '../entity-registry/registry.ts'
import { ProblemError, problemSchema, sendProblem } from './problem.ts'
import { type ProblemCode, problemKinds } from './problem-codes.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** What went wrong; `undefined` while nothing has. */
    problemCode: ProblemCode | undefined
  }
}

/** Everything that is not a success leaves through here as problem+json, the framework's own errors included. */

const frameworkCodes: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
}

/** @param shownTo what the caller of a request may be told of; left out: everything */
export function answerFailures(
  app: FastifyInstance,
  registry: EntityRegistry,
  shownTo: (request: FastifyRequest) => IsShown = () => () => true,
): void {
  app.addSchema(problemSchema)
  app.decorateReply('problemCode', undefined)
  const verbsOf = recordVerbs(app)
  const missing = (request: FastifyRequest) =>
    missingRoute(request, verbsOf, (path) => registry.explainMiss(path, shownTo(request)))
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    // Where no route is, the framework still reads the body: that it can't says less than that nothing is here.
    const isLost = request.is404 && isCallersFault(error)
    const problem = isLost ? missing(request) : toProblem(error)
    if (problem.code === 'internal_error') request.log.error({ err: error }, 'a request failed')
    return sendProblem(request, reply, problem)
  })
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, missing(request)))
}

function isCallersFault(error: FastifyError | ProblemError): boolean {
  if (error instanceof ProblemError) return error.code === 'malformed_json'
  return error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500
}

/** For `frameworkErrors`: what the router refuses before any hook has run. */
export function answerRouterError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(request, reply, toProblem(error))
}

/** @param error anything a hook or handler threw */
function toProblem(error: FastifyError | ProblemError): ProblemError {
  if (error instanceof ProblemError) return error
  const code = frameworkCodes[error.code]
  if (code !== undefined) return new ProblemError(code, { detail: `${problemKinds[code].title}.` })
  if (error.validation !== undefined) return invalidCustomRequest(error)
  const status = error.statusCode ?? 500
  if (status >= 400 && status < 500) return new ProblemError('bad_request', { status, detail: error.message })
  return new ProblemError('internal_error', { detail: 'The gateway could not finish this request.' })
}

/** Fastify's names for the parts of a request, as `ProblemPlace.pointer` has them. */
const roots: Readonly<Record<string, string>> = { body: '#', querystring: '#/query', params: '#/path' }

/** A custom route's own schema was not met. */
function invalidCustomRequest({ validation, validationContext = 'body' }: FastifyError): ProblemError {
  const root = roots[validationContext] ?? `#/${validationContext}`
  return new ProblemError('validation_failed', {
    detail: 'The request does not fit the route.',
    errors: (validation ?? []).map(({ instancePath, message = 'is not valid' }) => ({
      pointer: `${root}${instancePath}`,
      detail: message,
    })),
  })
}

/** Every path with the verbs it has, kept beside Fastify's router, which can only be asked with the right verb. */
function recordVerbs(app: FastifyInstance): (path: string) => readonly string[] {
  const paths = findMyWay({ maxParamLength: Number.MAX_SAFE_INTEGER })
  const verbs = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    let known = verbs.get(url)
    if (known === undefined) {
      known = new Set()
      verbs.set(url, known)
      paths.on('GET' as HTTPMethod, url, () => undefined, known)
    }
    for (const verb of Array.isArray(method) ? method : [method]) known.add(verb)
  })
  // The store of each path is the set that was given above.
  return (path) => [...((paths.find('GET', path)?.store as Set<string> | undefined) ?? [])].sort()
}

function missingRoute(
  request: FastifyRequest,
  verbsOf: (path: string) => readonly string[],
  explain: EntityRegistry['explainMiss'],
): ProblemError {
  // The whole of an address is a target, too (RFC 9112, section 3.2.2).
  const [path = '/'] = request.url.replace(/^https?:\/\/[^/?]*/i, '').split('?')
  const verbs = verbsOf(path)
  // A route that serves this verb says itself that nothing is there.
  if (verbs.length > 0 && !verbs.includes(request.method)) {
    const allow = verbs.join(', ')
    return new ProblemError('method_not_allowed', {
      detail: `${request.method} is not served here; ${allow} ${verbs.length === 1 ? 'is' : 'are'}.`,
      headers: { allow },
    })
  }
  const segments = path.split('/').slice(1).map(decodeLoosely)
  return new ProblemError('route_not_found', explain(segments))
}

function decodeLoosely(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
