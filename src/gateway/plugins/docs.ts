import { createHash } from 'node:crypto'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { stringifyExact } from '../../entity-registry/exact-json.ts'
import { problemExamples } from '../../routes/problem.ts'

export interface DocsOptions {
  readonly title: string
  readonly version: string
  readonly description: string
  readonly tags: readonly { readonly name: string; readonly description: string }[]
}

/** Must be registered before the first route: the document is made of the routes' schemas. */
export async function registerDocs(
  app: FastifyInstance,
  { title, version, description, tags }: DocsOptions,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: [{ url: '/', description: 'This gateway.' }],
      tags: tags.map((tag) => ({ ...tag })),
      components: { examples: problemExamples() },
    },
    convertConstToEnum: false,
    refResolver: { buildLocalReference: (json, _baseUri, _fragment, index) => String(json.$id ?? `schema-${index}`) },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // The page's scripts and styles come with the package; a validator on another host would be told our document.
    // BaseLayout has no bar on top that loads documents from elsewhere.
    uiConfig: { layout: 'BaseLayout', validatorUrl: null, tryItOutEnabled: true, displayRequestDuration: true },
    theme: { title },
  })
  serveDocument(app)
}

/** The document, written once it is asked for first and served from memory. */
function serveDocument(app: FastifyInstance): void {
  for (const [url, type, write] of [
    ['/openapi.json', 'application/json; charset=utf-8', () => stringifyExact(app.swagger())],
    ['/openapi.yaml', 'application/yaml; charset=utf-8', () => app.swagger({ yaml: true })],
  ] as const) {
    let served: { readonly text: string; readonly etag: string } | undefined
    app.get(url, { schema: { hide: true } }, (request, reply) => {
      served ??= tagged(write())
      reply.header('etag', served.etag).header('cache-control', 'no-cache')
      if (request.headers['if-none-match'] === served.etag) return reply.code(304).send()
      return reply.type(type).send(served.text)
    })
  }
}

function tagged(text: string): { readonly text: string; readonly etag: string } {
  return { text, etag: `"${createHash('sha1').update(text).digest('base64url')}"` }
}
