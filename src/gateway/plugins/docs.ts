import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, RouteOptions } from 'fastify'
import { stringify } from 'yaml'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { isKnown } from '../../routes/etag.ts'
import { problemExamples } from '../../routes/problem.ts'
import type { Access } from '../access/access.ts'
import { securitySchemes, withSecurity } from '../access/document-security.ts'
import { createVisibleDocuments, tagged } from '../access/visible-document.ts'
import { withExactParts } from './exact-parts.ts'
import { withUsedExamples } from './used-examples.ts'

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
}

/** Must be registered before the first route: the document is made of the routes' schemas. */
export async function registerDocs(app: FastifyInstance, options: DocsOptions): Promise<void> {
  const { title, version, description, tags, access } = options
  countOperations(app)
  const isGuarded = access.schemes.length > 0
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/', description: 'This gateway.' }],
      tags: tags.map((tag) => ({ ...tag })),
      // Written as the specification has it, which the plugin's types only know in part.
      components: {
        examples: problemExamples(),
        ...(isGuarded ? ({ securitySchemes: securitySchemes(access) } as object) : {}),
      },
    },
    convertConstToEnum: false,
    transformObject: (written) =>
      'openapiObject' in written ? withUsedExamples(withExactParts(written.openapiObject)) : {},
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `schema-${index}`) },
    ...(isGuarded
      ? { transform: ({ schema, url, route }) => ({ schema: withSecurity(schema ?? {}, route, access), url }) }
      : {}),
  })
  const visible = isGuarded ? createVisibleDocuments(() => app.swagger()) : undefined
  await app.register((scope) => servePage(scope, { title, visible }))
  serveDocument(app, visible)
}

type Visible = ReturnType<typeof createVisibleDocuments> | undefined

async function servePage(scope: FastifyInstance, page: { readonly title: string; readonly visible: Visible }) {
  const { title, visible } = page
  // The page's own copy of the document has all digits too.
  scope.setReplySerializer((document) => stringifyExact(document))
  await scope.register(swaggerUi, {
    routePrefix: '/docs',
    // The page's scripts and styles come with the package; a validator on another host would be told our document.
    // BaseLayout has no bar on top that loads documents from elsewhere.
    uiConfig: {
      ...{ layout: 'BaseLayout', validatorUrl: null, tryItOutEnabled: true, displayRequestDuration: true },
      ...(visible === undefined ? {} : guardedPage),
    },
    theme: { title },
    ...(visible === undefined
      ? {}
      : {
          transformSpecificationClone: false,
          transformSpecification: (_document, { caller }) => ({ ...visible(caller).document }),
        }),
  })
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
function serveDocument(app: FastifyInstance, visible: Visible): void {
  for (const [url, form, type, write] of [
    ['/openapi.json', 'json', 'application/json; charset=utf-8', () => stringifyExact(app.swagger())],
    [
      '/openapi.yaml',
      'yaml',
      'application/yaml; charset=utf-8',
      () => stringify(app.swagger(), { aliasDuplicateObjects: false }),
    ],
  ] as const) {
    let whole: ReturnType<typeof tagged> | undefined
    app.get(url, { schema: { hide: true } }, (request, reply) => {
      if (visible === undefined) whole ??= tagged(write())
      const { text, etag } = visible?.(request.caller)[form] ?? whole ?? tagged(write())
      reply.header('etag', etag)
      if (visible !== undefined) {
        reply.header('cache-control', 'private, no-cache').header('vary', 'Authorization, X-Api-Key')
      }
      if (isKnown(etag, request.headers['if-none-match'])) return reply.code(304).send()
      return reply.type(type).send(text)
    })
  }
}
