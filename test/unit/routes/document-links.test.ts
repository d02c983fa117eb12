import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newApiKey } from '../../../src/gateway/access/api-keys.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { buildGateway, type Gateway } from '../../../src/gateway/gateway.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

interface Link {
  readonly operationId: string
  readonly parameters: Readonly<Record<string, string>>
}
interface Operation {
  readonly operationId: string
  readonly requestBody?: { readonly required?: boolean }
  readonly responses: Readonly<Record<string, { readonly links?: Readonly<Record<string, Link>> }>>
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>

const folder = createTemporaryFolder()
const clerk = newApiKey('clerk', [])
const keeper = newApiKey('keeper', ['shop:stock'])
let gateway: Gateway
beforeAll(async () => {
  const overrides = { 'Item.set_stock': { scopes: ['shop:stock'] }, 'Item.quote': { scopes: ['shop:stock'] } }
  const env = {
    GATEWAY_OVERRIDES: folder.write('overrides.json', overrides),
    GATEWAY_API_KEYS: `${clerk.entry}\n${keeper.entry}`,
  }
  gateway = await buildGateway({ config: readConfig({ env, argv: [] }).config })
})
afterAll(async () => {
  await gateway.close()
  folder.close()
})

async function pathsFor(key: string): Promise<Paths> {
  return (await gateway.app.inject({ url: '/openapi.json', headers: { 'x-api-key': key } })).json().paths
}

function linksOf(paths: Paths, path: string, status: string): Readonly<Record<string, Link>> {
  return paths[path]?.post?.responses[status]?.links ?? {}
}

describe('links of the document', () => {
  it('lead from a creation to all that the new entity can do, by its key', async () => {
    const links = linksOf(await pathsFor(keeper.key), '/item', '201')
    expect(Object.keys(links)).toEqual(
      expect.arrayContaining([
        'get_item',
        'get_item_stock',
        'item_update_stock',
        'item_set_stock',
        'item_quote_safely',
      ]),
    )
    for (const { parameters } of Object.values(links)) expect(parameters).toEqual({ key: '$response.body#/key' })
  })

  it('lead from a call under way to its invocation', async () => {
    const links = linksOf(await pathsFor(keeper.key), '/user/{key}/buy_item', '202')
    expect(Object.values(links).map(({ operationId }) => operationId)).toEqual([
      'get_invocation',
      'get_invocation_result',
      'get_invocation_events',
    ])
    expect(links.invocation?.parameters).toEqual({ id: '$response.body#/id' })
  })

  it('name only what the reader is shown', async () => {
    const paths = await pathsFor(clerk.key)
    const operations = Object.values(paths).flatMap((path) => Object.values(path))
    const shown = new Set(operations.map(({ operationId }) => operationId))
    const linked = operations.flatMap(({ responses }) =>
      Object.values(responses).flatMap(({ links = {} }) => Object.values(links).map(({ operationId }) => operationId)),
    )
    expect(linked).not.toContain('item_set_stock')
    expect(linked.filter((id) => !shown.has(id))).toEqual([])
    expect(linked).toContain('item_update_stock')
  })
})

describe('bodies in the document', () => {
  it('may be left out where no argument is needed, and only there', async () => {
    const paths = await pathsFor(keeper.key)
    expect(paths['/user/{key}/get_balance']?.post?.requestBody?.required).toBe(false)
    expect(paths['/user/{key}/buy_item']?.post?.requestBody?.required).toBe(true)
    expect(JSON.stringify(paths)).not.toContain('x-optional-body')
    const headers = { 'x-api-key': keeper.key }
    await gateway.app.inject({ method: 'POST', url: '/user', headers, payload: { username: 'bodiless' } })
    const answer = await gateway.app.inject({ method: 'POST', url: '/user/bodiless/get_balance', headers })
    expect([answer.statusCode, answer.body]).toEqual([200, '1'])
  })

  it('need none in the answer of a call that returns something, for who prefers it so', async () => {
    const paths = await pathsFor(keeper.key)
    expect(Object.keys(paths['/user/{key}/get_balance']?.post?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '202', '204']),
    )
  })
})
