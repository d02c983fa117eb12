import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { buildGateway, type Gateway } from '../../../src/gateway/gateway.ts'
import type { OpenapiDocument } from '../../helpers/openapi-document.ts'

let gateway: Gateway
beforeAll(async () => {
  gateway = await buildGateway({ config: readConfig({ env: {}, argv: [] }).config })
  await gateway.app.inject({ method: 'POST', url: '/user', payload: { username: 'alice' } })
})
afterAll(() => gateway.close())

describe('what a cache is told', () => {
  it.each([
    ...[
      '/user/alice',
      '/user/alice/balance',
      '/user/alice/get_balance',
      '/user/ghost',
      '/user/alice/nothing',
      '/nowhere',
    ],
    ...['/-/livez', '/-/readyz', '/-/entities', '/-/problems/overloaded', '/openapi.json', '/docs', '/docs/json'],
    ...['/-/invocations/4a2f7a51-5c0e-4a3e-9d5b-0f6c1d2e3a4b', '/user/%zz'],
  ])('is to ask again before it gives %s to anybody', async (url) => {
    expect((await gateway.app.inject(url)).headers['cache-control']).toBe('no-cache')
  })

  it('is what routes say themselves, where they do', async () => {
    expect((await gateway.app.inject('/-/metrics')).headers['cache-control']).toBe('no-store')
    const file = await gateway.app.inject('/docs/static/swagger-ui.css')
    expect([file.statusCode, file.headers['cache-control']]).toEqual([200, 'public, max-age=0'])
  })

  it.each(['/user/alice', '/openapi.json', '/openapi.yaml'])(
    'knows %s by its ETag, as proxies write it too',
    async (url) => {
      const { headers } = await gateway.app.inject(url)
      for (const known of [`${headers.etag}`, `W/${headers.etag}`, `"other", ${headers.etag}`, '*']) {
        const again = await gateway.app.inject({ url, headers: { 'if-none-match': known } })
        expect([known, again.statusCode, again.body]).toEqual([known, 304, ''])
      }
      const other = await gateway.app.inject({ url, headers: { 'if-none-match': '"other"' } })
      expect(other.statusCode).toBe(200)
    },
  )
})

describe('the page of a problem', () => {
  it.each(['text/html', 'application/json'])('is told apart by caches, and documented: %s', async (accept) => {
    const answer = await gateway.app.inject({ url: '/-/problems/overloaded', headers: { accept } })
    expect(answer.headers.vary).toBe('Accept')
    expect(answer.headers['content-type']).toContain(accept)
    const { paths }: OpenapiDocument = (await gateway.app.inject('/openapi.json')).json()
    expect(paths['/-/problems/{code}']?.get?.responses['200']?.content).toHaveProperty([accept])
  })
})

describe('the document of invocations', () => {
  it('has what answers have: problems as results, an end of events, headers', async () => {
    const { paths }: OpenapiDocument = (await gateway.app.inject('/openapi.json')).json()
    const of = (rest: string) => paths[`/-/invocations/{id}${rest}`]?.get
    expect(Object.keys(of('/result')?.responses.default?.content ?? {})).toContain('application/problem+json')
    expect(of('/result')?.responses['202']).toMatchObject({ headers: { Location: {}, 'Retry-After': {} } })
    expect(of('')?.responses['200']).toMatchObject({ headers: { 'Retry-After': {} } })
    expect(of('/events')?.responses['204']).toBeDefined()
    const names = (rest: string) => of(rest)?.parameters?.map(({ name }) => name)
    expect([names(''), names('/result'), names('/events')]).toEqual([
      ['id', 'prefer'],
      ['id', 'prefer'],
      ['id', 'last-event-id'],
    ])
  })
})
