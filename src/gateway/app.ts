import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
  type onRequestHookHandler,
} from 'fastify'
import { answerRouterError } from '../routes/failures.ts'
import { answerSocketError } from '../routes/socket-failures.ts'
import { createRequestValidator } from '../routes/validator.ts'
import type { Config } from './config.ts'
import { createOriginHeaders } from './plugins/cross-origin.ts'
import { serverLimits } from './plugins/request-limits.ts'
import { createSecurityHeaders } from './plugins/security-headers.ts'
import { createRequestLog, type RequestLogOptions } from './request-log.ts'

/** A segment of a path may be a key: 1 KiB of UTF-8, each byte as `%XX`. */
const MAX_PARAM_LENGTH = 3 * 1024

/** Fastify's logger as it would make one, for all the apps of a process: each of their own would open its destination anew. */
export function createLog(logger: FastifyServerOptions['logger']): FastifyBaseLogger {
  return fastify({ logger: logger ?? false }).log
}

export interface AppOptions {
  /** `undefined`: nothing is logged, which costs a request nothing. */
  readonly log: FastifyBaseLogger | undefined
  readonly newId: () => string
}

export function createApp(config: Config, { log, newId }: AppOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    bodyLimit: config.bodyLimitBytes,
    // An id from outside could collide; the caller's own correlation travels in `traceparent`.
    genReqId: newId,
    requestIdHeader: false,
    // Two lines a request; `observability` writes one.
    logController: new LogController({ disableRequestLogging: true }),
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: createRouterErrors(config),
    clientErrorHandler: answerSocketError,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    ...serverLimits(config.http),
  })
  app.setValidatorCompiler(createRequestValidator)
  if (log !== undefined) writeTo(app, log)
  return app
}

/** What the router refuses meets no hook: pages are told of it all the same. */
function createRouterErrors({ http }: Config): NonNullable<FastifyServerOptions['frameworkErrors']> {
  const setSecurityHeaders = createSecurityHeaders(http.hstsSeconds)
  const allowListed = createOriginHeaders(http.corsOrigins)
  return (error, request, reply) => {
    setSecurityHeaders(request, reply)
    allowListed(request, reply)
    if (http.corsOrigins.length > 0) reply.header('vary', 'Origin')
    answerRouterError(error, request, reply)
  }
}

/**
 * Not as Fastify's own logger: with that, it listens for the end of each response, and makes each request a child, whether anybody logs or not.
 * Before every other hook; what a route says of its own log comes after those of the app.
 */
function writeTo(app: FastifyInstance, log: FastifyBaseLogger): void {
  app.log = log
  const give = (request: FastifyRequest, reply: FastifyReply, how?: RequestLogOptions): void => {
    request.log = createRequestLog(log, { reqId: request.id }, how)
    reply.log = request.log
  }
  app.addHook('onRequest', (request, reply, done) => {
    give(request, reply)
    done()
  })
  app.addHook('onRoute', (route) => {
    const how = {
      ...(route.logLevel ? { level: route.logLevel } : {}),
      ...(route.logSerializers ? { serializers: route.logSerializers } : {}),
    }
    if (Object.keys(how).length === 0) return
    const own: onRequestHookHandler = (request, reply, done) => {
      give(request, reply, how)
      done()
    }
    route.onRequest = [own, ...[route.onRequest ?? []].flat()]
  })
}
