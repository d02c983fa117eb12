import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { problemExamples } from '../../routes/problem.ts'
import type { Access } from '../access/access.ts'
import { securitySchemes, withSecurity } from '../access/document-security.ts'
import { createVisibleDocuments, tagged } from '../access/visible-document.ts'
import { withOptionalBodies } from './optional-bodies.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** How many operations the document has, known without writing it: of thousands of methods that takes seconds. */
    readonly countOperations: () => number
  }
}

export interface DocsOptions {
  readonly title: string
  readonly version: string
  readonly description: string
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly access: Pick<Access, 'schemes' | 'needOf'>
  readonly isRateLimited: boolean
}

/** Problems of access; no answer of a gateway where everybody is the same caller. */
const accessCodes = new Set(['unauthenticated', 'invalid_credentials', 'forbidden', 'keys_unavailable'])

/** Must be registered before the first route: the document is made of the routes' schemas. */
export async function registerDocs(app: FastifyInstance, options: DocsOptions): Promise<void> {
  const { title, version, description, tags, access, isRateLimited } = options
  countOperations(app)
  const isGuarded = access.schemes.length > 0
  const examples = Object.entries(problemExamples())
    .filter(([code]) => isGuarded || !accessCodes.has(code))
    .filter(([code]) => isRateLimited || code !== 'rate_limited')
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/', description: 'This gateway.' }],
      tags: tags.map((tag) => ({ ...tag })),
      // Written as the specification has it, which the plugin's types only know in part.
      components: {
        examples: Object.fromEntries(examples),
        ...(isGuarded ? ({ securitySchemes: securitySchemes(access) } as object) : {}),
      },
    },
    convertConstToEnum: false,
    transformObject: (written) => ('openapiObject' in written ? withOptionalBodies(written.openapiObject) : {}),
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `schema-${index}`) },
    ...(isGuarded
      ? { transform: ({ schema, url, route }) => ({ schema: withSecurity(schema ?? {}, route, access), url }) }
      : {}),
  })
  const visible = isGuarded ? createVisibleDocuments(() => app.swagger()) : undefined
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // The page's scripts and styles come with the package; a validator on another host would be told our document.
    // BaseLayout has no bar on top that loads documents from elsewhere.
    uiConfig: {
      ...{ layout: 'BaseLayout', validatorUrl: null, tryItOutEnabled: true, displayRequestDuration: true },
      ...(isGuarded ? guardedPage : {}),
    },
    theme: { title },
    ...(visible === undefined
      ? {}
      : {
          transformSpecificationClone: false,
          transformSpecification: (_document, { caller }) => ({ ...visible(caller).document }),
        }),
  })
  serveDocument(app, visible)
}

function countOperations(app: FastifyInstance): void {
  const operations = new Set<string>()
  app.addHook('onRoute', ({ method, url, schema }: RouteOptions) => {
    if (schema?.hide === true || schema?.tags?.includes('X-HIDDEN') === true) return
    for (const verb of [method].flat()) if (verb !== 'HEAD') operations.add(`${verb} ${url}`)
  })
  app.decorate('countOperations', () => operations.size)
}

/** The page remembers what its reader has entered; its types leave out what comes as a function of ours. */
const guardedPage: object = { persistAuthorization: true, requestInterceptor: withStoredCredentials }

/**
 * Runs in the browser, so it may use nothing from here: the document is asked for with what its reader has entered under
 * "Authorize", so that, loaded again, it shows what he may call.
 */
function withStoredCredentials(request: { readonly loadSpec?: boolean; readonly headers: Record<string, string> }) {
  const { bearer, apiKey } = JSON.parse(localStorage.getItem('authorized') ?? '{}')
  if (request.loadSpec === true && bearer) request.headers.Authorization = `Bearer ${bearer.value}`
  else if (request.loadSpec === true && apiKey) request.headers['X-Api-Key'] = apiKey.value
  return request
}

/** The document, written once it is asked for first and served from memory. */
function serveDocument(app: FastifyInstance, visible: ReturnType<typeof createVisibleDocuments> | undefined): void {
  for (const [url, form, type, write] of [
    ['/openapi.json', 'json', 'application/json; charset=utf-8', () => stringifyExact(app.swagger())],
    ['/openapi.yaml', 'yaml', 'application/yaml; charset=utf-8', () => app.swagger({ yaml: true })],
  ] as const) {
    let whole: ReturnType<typeof tagged> | undefined
    app.get(url, { schema: { hide: true } }, (request, reply) => {
      if (visible === undefined) whole ??= tagged(write())
      const { text, etag } = visible?.(request.caller)[form] ?? whole ?? tagged(write())
      reply.header('etag', etag)
      if (visible === undefined) reply.header('cache-control', 'no-cache')
      else reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization, X-Api-Key')
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type(type).send(text)
    })
  }
}
