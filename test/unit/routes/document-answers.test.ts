import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../../src/entity-registry/overrides.ts'
import { newApiKey } from '../../../src/gateway/access/api-keys.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import type { CustomRoutes } from '../../../src/gateway/custom-routes.ts'
import { buildGateway, type Gateway } from '../../../src/gateway/gateway.ts'
import { OWN_OPERATION_IDS } from '../../../src/routes/operation-ids.ts'
import { gatewayOf } from '../../helpers/document-of.ts'
import { type OpenapiDocument, operationsOf } from '../../helpers/openapi-document.ts'

let gateway: Gateway | undefined
afterEach(() => gateway?.close())

const key = { name: 'id', schema: { type: 'string' } }
const text = { type: 'string' }
const create = { params: [{ name: 'id', schema: text }] }

async function documentOf(entities: MetadataDocument['entities'], overrides: Readonly<Record<string, Override>> = {}) {
  gateway = await gatewayOf(entities, overrides)
  const document: OpenapiDocument = (await gateway.app.inject('/openapi.json')).json()
  return document
}

describe('operationIds', () => {
  const entities = [
    {
      ...{ name: 'Order', key, create, state: { line: text } },
      methods: ['line_x', 'quote', 'quote_safely'].map((name) => ({ name, params: [] })),
    },
    { name: 'OrderLine', key, create, state: { a: text }, methods: [{ name: 'x', params: [] }] },
    { name: 'Invocation', key, state: { result: text }, methods: [] },
    { name: 'Create', key, methods: [{ name: 'order', params: [] }] },
  ]

  it('are each there once, whatever entities and members are called', async () => {
    const operations = operationsOf(await documentOf(entities, { 'Order.quote': { safe: true } }))
    const ids = operations.map(({ operationId }) => operationId)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    const byRoute = new Map(operations.map(({ verb, path, operationId }) => [`${verb} ${path}`, operationId]))
    expect(byRoute.get('post /order/{key}/line_x')).toBe('order_line_x')
    expect(byRoute.get('post /order_line/{key}/x')).toBe('order_line_x_2')
    expect(byRoute.get('post /create/{key}/order')).toBe('create_order_2')
  })

  it('change none where another entity comes at the end', async () => {
    const later = { name: 'Later', key, methods: [{ name: 'x_2', params: [] }] }
    const { paths } = await documentOf([...entities, later], { Later: { path: 'order-line' } })
    expect(paths['/order_line/{key}/x']?.post?.operationId).toBe('order_line_x_2')
    expect(paths['/order-line/{key}/x_2']?.post?.operationId).toBe('order_line_x_2_2')
  })

  it('are linked to as they are', async () => {
    const { paths } = await documentOf(entities)
    const created = paths['/order_line']?.post?.responses['201'] as { readonly links?: object } | undefined
    expect(Object.keys(created?.links ?? {})).toContain('order_line_x_2')
  })

  it('of the gateway itself are kept for it', () => {
    const shop: OpenapiDocument = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../openapi/shop.json'), 'utf8'),
    )
    const own = operationsOf(shop).filter(({ tags }) => tags.includes('gateway'))
    expect(own.map(({ operationId }) => operationId).sort()).toEqual([...OWN_OPERATION_IDS].sort())
  })
})

describe('what the document names once', () => {
  it('are tags, where an entity is called as the gateway is', async () => {
    const { tags } = (await documentOf([{ name: 'gateway', key, methods: [] }])) as {
      readonly tags?: readonly object[]
    }
    expect(tags).toEqual([{ name: 'gateway', description: 'The gateway itself.' }])
  })

  it('are examples of problems that an answer can be', async () => {
    const document = await documentOf([{ name: 'Shelf', key, state: { a: text }, methods: [] }])
    const { components } = document as { readonly components?: { readonly examples?: object } }
    const examples = Object.keys(components?.examples ?? {})
    expect(examples).toContain('entity_not_found')
    // Nothing can be created, and no verb is wrong for an operation.
    for (const code of ['entity_exists', 'method_not_allowed', 'forbidden']) expect(examples).not.toContain(code)
  })
})

describe('the answers of a method', () => {
  const errors = {
    Full: { status: 409, description: 'No room.' },
    Nowhere: { status: 409, description: 'No place.' },
    Lost: { status: 404, description: 'Nothing there.' },
    Odd: { description: '' },
  }
  const shelf = { name: 'Shelf', key, methods: [{ name: 'find', params: [], returns: text, errors }] }

  it('say all that has one status: errors of its own beside the gateway’s', async () => {
    const { paths } = await documentOf([shelf])
    const responses = paths['/shelf/{key}/find']?.post?.responses ?? {}
    const told = (status: string) => (responses[status] as { readonly description: string } | undefined)?.description
    expect(told('409')).toBe('Full: No room. Nowhere: No place.')
    expect(told('404')).toContain('entity_not_found')
    expect(told('404')).toContain('Lost: Nothing there.')
    expect(told('422')).toContain('method_raised')
    expect(told('422')).toContain('idempotency_key_reused')
    const examples = responses['404']?.content?.['application/problem+json']?.examples
    expect(examples).toMatchObject({
      entity_not_found: {},
      Lost: { value: { status: 404, code: 'method_raised', error: { name: 'Lost' } } },
    })
  })

  it('to a GET have an ETag and 304, and 202 where late answers are taken', async () => {
    const headersOf = (response: object | undefined) => (response as { readonly headers?: object } | undefined)?.headers
    const safe = (await documentOf([shelf], { 'Shelf.find': { safe: true } })).paths['/shelf/{key}/find']?.get
    expect(Object.keys(safe?.responses ?? {})).toEqual(expect.arrayContaining(['200', '304']))
    expect(safe?.responses['202']).toBeUndefined()
    expect(headersOf(safe?.responses['200'])).toHaveProperty('ETag')
    expect(headersOf(safe?.responses['504'])).toBeUndefined()
    await gateway?.close()
    const overrides = { 'Shelf.find': { safe: true, acceptLate: true } }
    const late = (await documentOf([shelf], overrides)).paths['/shelf/{key}/find']?.get
    expect(late?.responses['202']).toMatchObject({ description: expect.stringContaining('deadline') })
    expect(headersOf(late?.responses['504'])).toHaveProperty('Location')
  })
})

describe('a guarded document', () => {
  async function guarded(routes: readonly CustomRoutes[] = []): Promise<OpenapiDocument> {
    const { entry, key: secret } = newApiKey('clerk', [])
    const env = { GATEWAY_API_KEYS: entry, GATEWAY_ACCESS: 'authenticated' }
    gateway = await buildGateway({ config: readConfig({ env, argv: [] }).config, routes })
    return (await gateway.app.inject({ url: '/openapi.json', headers: { 'x-api-key': secret } })).json()
  }

  it('names keys_unavailable beside what else is 503', async () => {
    const { paths } = await guarded()
    const examples = paths['/user/{key}']?.get?.responses['503']?.content?.['application/problem+json']?.examples
    expect(Object.keys(examples ?? {})).toEqual(expect.arrayContaining(['overloaded', 'keys_unavailable']))
  })

  it('leaves custom routes what they say of a status that is a problem elsewhere', async () => {
    const own = { type: 'object', properties: { reason: { type: 'string' } } }
    const { paths } = await guarded([
      async (scope) => {
        scope.get('/plain', { schema: { response: { 401: own, 403: { $ref: 'Problem#' } } } }, async () => null)
        const content = { 'text/plain': { schema: { type: 'string' } } }
        scope.get('/text', { schema: { response: { 503: { description: 'Closed.', content } } } }, async () => null)
      },
    ])
    const { responses: plain = {} } = paths['/plain']?.get ?? {}
    expect(plain['401']?.content).toEqual({ 'application/json': { schema: own } })
    expect(Object.keys(plain)).toEqual(expect.arrayContaining(['401', '403', '503']))
    const { responses: text = {} } = paths['/text']?.get ?? {}
    expect(text['503']).toMatchObject({ description: 'Closed.' })
    expect(Object.keys(text['503']?.content ?? {})).toEqual(['text/plain'])
  })
})
