import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import type { MetadataMethod } from '../../../src/entity-registry/metadata-schema.ts'
import { newApiKey } from '../../../src/gateway/access/api-keys.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { buildGateway, type Gateway } from '../../../src/gateway/gateway.ts'
import { gatewayOf } from '../../helpers/document-of.ts'
import type { OpenapiDocument } from '../../helpers/openapi-document.ts'

let gateway: Gateway | undefined
afterEach(() => gateway?.close())

const key = { name: 'id', schema: { type: 'string' } }

/** The document of one method, served by POST and GET. */
async function shelfWith(method: Omit<MetadataMethod, 'name'>) {
  const entities = [{ name: 'Shelf', key, methods: [{ name: 'find', ...method }] }]
  gateway = await gatewayOf(entities, { 'Shelf.find': { safe: true } })
  return gateway.app
}

async function operationsOf(method: Omit<MetadataMethod, 'name'>) {
  const answer = await (await shelfWith(method)).inject('/openapi.json')
  expect(answer.statusCode).toBe(200)
  const { paths }: OpenapiDocument = answer.json()
  return paths['/shelf/{key}/find'] ?? {}
}

function taking(schema: JsonSchema): Omit<MetadataMethod, 'name'> {
  return { params: [{ name: 'x', schema }], returns: schema }
}

describe('a type in the document', () => {
  it.each([
    [
      'patterns of names',
      { type: 'object', patternProperties: { '^a': { type: 'string' } }, additionalProperties: false },
    ],
    ['an encoding', { type: 'string', contentEncoding: 'base64' }],
    [
      'members that are null by default',
      { type: 'object', additionalProperties: { type: ['string', 'null'], default: null } },
    ],
    ['a member $ref', { type: 'object', properties: { $ref: { type: 'string' } }, additionalProperties: false }],
    ['a member $id', { type: 'object', properties: { $id: { type: 'string' } }, additionalProperties: false }],
    ['a value with names of keywords', { const: { definitions: 1, nullable: true, $id: 'x' } }],
  ])('stands as the metadata has it: %s', async (_what, schema) => {
    const { post } = await operationsOf(taking(schema))
    const body = post?.requestBody?.content['application/json']?.schema
    expect(body).toMatchObject({ properties: { x: schema } })
    expect(post?.responses['200']?.content?.['application/json']?.schema).toEqual(schema)
  })

  it('keeps parameters that have the names of keywords', async () => {
    const names = ['type', 'required', 'definitions', 'nullable', 'patternProperties', 'examples', 'properties']
    const { get } = await operationsOf({ params: names.map((name) => ({ name, schema: { type: 'string' } })) })
    expect(get?.parameters?.filter((parameter) => parameter.in === 'query').map(({ name }) => name)).toEqual(names)
  })
})

describe('an argument of a query in the document', () => {
  const members = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }

  it.each([
    ['a list', { type: 'array', items: { type: 'string' } }],
    ['a text or null', { type: ['string', 'null'] }],
    ['a text or a number', { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    ['one of some values', { enum: ['a', 1, null] }],
  ])('is a plain one: %s', async (_what, schema) => {
    const { get } = await operationsOf(taking(schema))
    expect(get?.parameters?.[0]).toEqual({ in: 'query', name: 'x', required: true, schema })
  })

  it.each([
    ['an object', members],
    ['a list of objects', { type: 'array', items: members }],
    ['a list or null', { type: ['array', 'null'], items: { type: 'string' } }],
    ['any value', {}],
  ])('is JSON: %s', async (_what, schema) => {
    const { get } = await operationsOf(taking(schema))
    const [parameter] = get?.parameters ?? []
    expect(parameter).toMatchObject({ in: 'query', name: 'x', content: { 'application/json': { schema } } })
    expect(parameter?.schema).toBeUndefined()
  })
})

describe('integers of 64 bits in examples', () => {
  const digits = '9007199254740993'
  const entities = join(import.meta.dirname, '../../helpers/wide-example.ts')

  async function ask(url: string, env: Readonly<Record<string, string>> = {}, headers = {}) {
    const { config } = readConfig({ env: { ...env, GATEWAY_ENTITIES: entities }, argv: [] })
    gateway = await buildGateway({ config })
    const { statusCode, body } = await gateway.app.inject({ url, headers })
    return [statusCode, body.includes(digits)]
  }

  it.each(['/openapi.json', '/openapi.yaml', '/docs/json', '/docs/yaml'])('keep their digits in %s', async (url) => {
    expect(await ask(url)).toEqual([200, true])
  })

  it('keep them in what the page shows a caller', async () => {
    const { entry, key: secret } = newApiKey('clerk', [])
    const env = { GATEWAY_API_KEYS: entry, GATEWAY_ACCESS: 'authenticated' }
    expect(await ask('/docs/json', env, { 'x-api-key': secret })).toEqual([200, true])
  })
})
