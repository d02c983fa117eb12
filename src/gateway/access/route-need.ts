import type { RouteOptions } from 'fastify'
import { rulesOf } from '../../routes/operation-rules.ts'
import type { AccessOptions } from './access-options.ts'
import { anyCaller, anyone, type Need, needOf } from './need.ts'

/** What a custom route says of who may call it: `config: { access: … }`. */
export interface RouteAccess {
  /** All of them are needed. */
  readonly scopes?: readonly string[]
  readonly public?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Left out: `GATEWAY_ACCESS` decides. */
    access?: RouteAccess
  }
}

export type RouteNeed = (route: Pick<RouteOptions, 'url' | 'config'>) => Need

/** Of the gateway's own routes, those that anybody may ask: they show nothing, or only what their caller may see. */
const openRoutes = new Set([
  '/-/livez',
  '/-/readyz',
  '/-/problems/:code',
  '/openapi.json',
  '/openapi.yaml',
  '/docs',
  '/docs/',
  '/docs/*',
  '/docs/json',
  '/docs/yaml',
  // An id can't be guessed, and is somebody else's for everybody but its caller.
  '/-/invocations/:id',
  '/-/invocations/:id/result',
  '/-/invocations/:id/events',
])

const managementRoutes = new Set(['/-/entities', '/-/metrics'])

/** What each route needs of its caller; decided when the route is made. */
export function createRouteNeed({ mode, managementScope }: AccessOptions): RouteNeed {
  return ({ url, config }) => {
    if (config?.operation !== undefined) return needOf(rulesOf(config.operation), mode)
    if (config?.access !== undefined) return customNeed(config.access, url)
    if (openRoutes.has(url) || url.startsWith('/docs/static/')) return anyone
    if (mode === 'open') return anyone
    if (managementRoutes.has(url)) return { kind: 'caller', scopes: [managementScope], owners: [] }
    // Each line is checked by itself.
    if (url === '/-/batch') return anyCaller
    return needOf([{ kind: 'default' }], mode)
  }
}

/** @throws Error on what it does not know: a misspelt member would leave a route open */
function customNeed(access: RouteAccess, url: string): Need {
  const refuse = (why: string): never => {
    throw new Error(`${url}: "config.access" ${why}.`)
  }
  const unknown = Object.keys(access).find((name) => name !== 'scopes' && name !== 'public')
  if (unknown !== undefined) refuse(`has no member "${unknown}"`)
  const { scopes, public: isPublic } = access
  if (isPublic !== undefined && typeof isPublic !== 'boolean') refuse('has a "public" that is neither true nor false')
  if (isPublic === true) return scopes === undefined ? anyone : refuse('is both public and for scopes')
  if (scopes === undefined) return anyCaller
  if (!Array.isArray(scopes) || scopes.some((scope) => typeof scope !== 'string' || scope === '')) {
    refuse('has "scopes" that are no list of names')
  }
  return { kind: 'caller', scopes, owners: [] }
}
