import type { FastifySchema, RouteOptions } from 'fastify'
import { joined, problemResponses } from '../../routes/problem-responses.ts'
import type { Access } from './access.ts'
import type { Scheme } from './authentication.ts'

const schemeObjects: Readonly<Record<Scheme, object>> = {
  bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A token of the configured issuer.' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-Api-Key', description: 'From the operator.' },
  proxy: {
    type: 'mutualTLS',
    description: 'The proxy in front of the gateway authenticates its callers, by client certificates or its own way.',
  },
}

/** `components.securitySchemes`; empty where everybody is the same caller. */
export function securitySchemes({ schemes }: Pick<Access, 'schemes'>): Record<string, object> {
  return Object.fromEntries(schemes.map((scheme) => [scheme, schemeObjects[scheme]]))
}

/** One way to be let in: scopes by scheme, all of them needed; `{}`: without credentials. */
export type SecurityRequirement = Readonly<Record<string, readonly string[]>>

/** What the document says of a route's access; routes that nobody may call are left out. */
export function withSecurity(
  schema: FastifySchema,
  route: Pick<RouteOptions, 'url' | 'config'>,
  { schemes, needOf }: Pick<Access, 'schemes' | 'needOf'>,
): FastifySchema {
  const need = needOf(route)
  if (need.kind === 'nobody') return { ...schema, hide: true }
  const isFree = need.kind === 'anyone'
  const scopes = need.kind === 'caller' ? need.scopes : []
  const ways = schemes.map((scheme) => ({ [scheme]: scopes }))
  const codes = isFree ? (['invalid_credentials'] as const) : (['unauthenticated', 'invalid_credentials'] as const)
  return {
    ...schema,
    security: isFree ? [{}, ...ways] : [...ways],
    response: joined(
      // Fastify leaves its type open; an object by status is what it is.
      { ...(schema.response as object | undefined) },
      problemResponses([...codes, ...(isFree ? [] : (['forbidden'] as const)), 'keys_unavailable']),
    ),
  }
}
