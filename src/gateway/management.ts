import fastify, { type FastifyInstance } from 'fastify'
import type { EntityRegistry } from '../entity-registry/registry.ts'
import { answerFailures, answerRouterError } from '../routes/failures.ts'
import { answerSocketError } from '../routes/socket-failures.ts'
import { registerSystemRoutes, type SystemRoutesOptions } from '../routes/system-routes.ts'
import type { Config } from './config.ts'
import { registerRequestLimits, serverLimits } from './plugins/request-limits.ts'
import { registerSecurityHeaders } from './plugins/security-headers.ts'

export interface ManagementOptions {
  readonly config: Config
  readonly registry: EntityRegistry
  readonly system: SystemRoutesOptions
  readonly newId: () => string
}

/** A server of its own for what operators ask, without credentials: whoever reaches its port may ask. */
export function createManagement(options: ManagementOptions): FastifyInstance | undefined {
  const { config, registry, system, newId } = options
  if (config.http.managementPort === undefined) return undefined
  const app = fastify({
    genReqId: newId,
    requestIdHeader: false,
    frameworkErrors: answerRouterError,
    clientErrorHandler: answerSocketError,
    forceCloseConnections: true,
    ...serverLimits(config.http),
  })
  answerFailures(app, registry)
  registerSecurityHeaders(app, config.http.hstsSeconds)
  registerRequestLimits(app, config.http)
  registerSystemRoutes(app, system)
  return app
}
