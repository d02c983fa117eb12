import request from 'supertest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildGateway, type CustomRoutes, type Gateway, ProblemError, readConfig } from '../../src/gateway/library.ts'

const rename: CustomRoutes = async (app) => {
  app.post<{ Params: { key: string } }>('/user/:key/gift', async ({ params: { key } }) => {
    const user = app.gateway.entity('User', key)
    await user.call('update_balance', { x: 10 })
    return { balance: await user.call('get_balance') }
  })
}

let gateway: Gateway
beforeAll(async () => {
  gateway = await buildGateway({ config: readConfig({ env: {}, argv: [] }).config, routes: [rename] })
})
afterAll(() => gateway.close())

/** Before `listen`, as a program that embeds the gateway would test its own routes. */
const http = () => request(gateway.server)

describe('what entities are written with', () => {
  it('is all exported by the file that a checkout and the package share', async () => {
    // It has no declarations: those of the library are its own.
    const shared: object = await import(new URL('../../embedded.mjs', import.meta.url).href)
    const library = await import('../../src/gateway/embedded-library.ts')
    expect(Object.keys(shared).sort()).toEqual(Object.keys(library).sort())
  })
})

describe('the gateway as a library', () => {
  it('serves generated and custom routes side by side', async () => {
    await http().post('/user').send({ username: 'alice' }).expect(201).expect('location', '/user/alice')
    await http().post('/user/alice/gift').expect(200, { balance: 11 })
    await http().get('/user/alice/balance').expect(200).expect('etag', /^"/).expect('11')
  })

  it('answers a custom route’s failed call as the problem that it is', async () => {
    const { body } = await http()
      .post('/user/nobody/gift')
      .expect(404)
      .expect('content-type', 'application/problem+json')
    expect(body).toMatchObject({ code: 'entity_not_found', outcome: 'rejected' })
  })

  it('calls entities without HTTP, by the same checks', async () => {
    expect(await gateway.create('Item', { item_name: 'pen', price: 2 })).toBe('pen')
    const pen = gateway.entity('Item', 'pen')
    expect(await pen.call('update_stock', { amount: 5 })).toBe(true)
    expect(await pen.call('set_stock', { amount: 3 })).toBeUndefined()
    expect(await pen.read('stock')).toBe(3)
    expect(await pen.get()).toMatchObject({ item_name: 'pen', stock: 3 })
    await expect(pen.call('update_stock', { amount: 'five' })).rejects.toThrow(ProblemError)
    await expect(gateway.entity('Item', 'ghost').read('stock')).rejects.toMatchObject({ code: 'entity_not_found' })
  })

  it('does not listen any more once it is closed', async () => {
    const closed = await buildGateway({ config: readConfig({ env: {}, argv: [] }).config })
    const closing = closed.close()
    await expect(closed.listen({ port: 0 })).rejects.toThrow('The gateway is closed')
    await closing
    await expect(closed.listen({ port: 0 })).rejects.toThrow('The gateway is closed')
    expect(closed.server.listening).toBe(false)
  })

  it('tells a misspelt name at once', () => {
    expect(() => gateway.entity('Itm', 'pen')).toThrow('There is no entity "Itm". Did you mean "Item"?')
    expect(() => gateway.entity('Item', '')).toThrow(ProblemError)
  })
})
