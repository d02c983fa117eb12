/** What the package exports: a gateway to build into a program, and the types its parts are made of. */

/** Its declarations say what a route's schema may have beside Fastify's own: `operationId`, `tags`, `summary`. */
import '@fastify/swagger'
/** Theirs, what a request's `caller` is and what a route's `config` may have as `access`. */
import './access/access.ts'
import './access/route-need.ts'

export type { CallOptions, EntityClient, EntityHandle, GatewayEntities } from '../routes/entity-client.ts'
export { ProblemError } from '../routes/problem.ts'
export { type Config, ConfigError, readConfig } from './config.ts'
export type { CustomRoutes } from './custom-routes.ts'
export { buildGateway, type Gateway, type GatewayOptions } from './gateway.ts'
