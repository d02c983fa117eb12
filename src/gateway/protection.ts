import type { FastifyInstance } from 'fastify'
import type { Log } from '../runtime-adapters/contract.ts'
import { type Access, registerAccess } from './access/access.ts'
import type { Authentication } from './access/authentication.ts'
import type { Config } from './config.ts'
import { registerCrossOrigin } from './plugins/cross-origin.ts'
import { type Drain, refuseWhileDraining } from './plugins/drain.ts'
import { registerRequestLimits } from './plugins/request-limits.ts'
import { registerSecurityHeaders } from './plugins/security-headers.ts'

export interface Protected {
  readonly config: Config
  readonly authentication: Authentication | undefined
  readonly drain: Pick<Drain, 'isDraining'>
  /** false: only the routes and their document are wanted, and nobody will call. */
  readonly isServing: boolean
}

/** What a request has to get past before it is read, the cheapest first. */
export function protect(app: FastifyInstance, guarded: Protected): Access {
  const { config, authentication, drain, isServing } = guarded
  // What is refused below is told to pages as well.
  registerSecurityHeaders(app, config.http.hstsSeconds)
  registerCrossOrigin(app, config.http.corsOrigins)
  refuseWhileDraining(app, drain)
  registerRequestLimits(app, config.http)
  return registerAccess(app, { access: config.access, authentication, isServing })
}

/** Said once, at the start. */
export function warnOfOpenDoors({ host }: Config, authentication: Authentication | undefined, log: Log): void {
  if (authentication !== undefined || isLoopback(host)) return
  log.warn({ host }, 'everybody who reaches this address may call everything: no way to authenticate is configured')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
