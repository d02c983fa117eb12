import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import { loadOverrides } from '../../../src/entity-registry/overrides.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'

let folder: TemporaryFolder
beforeAll(() => {
  folder = createTemporaryFolder()
})
afterAll(() => folder.close())

const document: MetadataDocument = {
  formatVersion: 1,
  application: 'shop',
  entities: [
    {
      name: 'User',
      key: { name: 'name', schema: { type: 'string' } },
      state: { name: { type: 'string' }, balance: { type: 'integer' } },
      methods: [{ name: 'buy', params: [] }],
    },
  ],
}

function compile(overrides: object) {
  const loaded = loadOverrides(folder.write('overrides.json', overrides))
  return compileEntities([{ file: 'shop.json', document }], loaded)
}

describe('an overriding path', () => {
  it.each(['/users/{key}/buy', 'users/{key}', '/größe/{key}', '/v1.2/~me/{key}/a,b'])('may be %s', (path) => {
    const [user] = compile({ 'User.buy': { path } })
    expect(user?.methods.get('buy')?.binding?.path).toBe(path.startsWith('/') ? path : `/${path}`)
  })

  it.each([
    ...['/p/{key}:go', '/p/:id/{key}', '/p/*/{key}', '/p/{key}/*', '/p/{key}(', '/p/{key}/{id}', '/p/a{key}'],
    ...['/p/../{key}', '/./{key}', '//{key}', '/{key}/', '/a%20b/{key}', '/p?q/{key}'],
  ])('has literal segments only, unlike %s', (path) => {
    expect(() => compile({ 'User.buy': { path } })).toThrow(/#\/User\.buy\/path: must match pattern .* literal/)
  })

  it.each([':kind', '*', 'a/', '..'])('has literal segments only, of an entity too, unlike %s', (path) => {
    expect(() => compile({ User: { path } })).toThrow(/#\/User\/path: must match pattern/)
  })

  it.each(['/-/health/{key}', '-/{key}', '/docs/{key}', '/openapi.json/{key}'])('is not the gateway’s: %s', (path) => {
    expect(() => compile({ 'User.buy': { path } })).toThrow(`the overriding path "${path}" belongs to the gateway.`)
  })

  it.each(['-/readyz', '/docs/users', '-'])('is not the gateway’s, of an entity too: %s', (path) => {
    expect(() => compile({ User: { path } })).toThrow(/its path ".*" belongs to the gateway/)
  })

  it('of an entity has no {key}', () => {
    expect(() => compile({ User: { path: 'users/{key}' } })).toThrow(/of an entity has no \{key\}/)
  })
})

describe('what has no effect', () => {
  it.each([
    [{ User: { deadlineMs: 5 } }, '"deadlineMs" has no effect on an entity.'],
    [{ 'User.balance': { path: '/b/{key}' } }, '"path" has no effect on an attribute.'],
    [{ 'User.balance': { verb: 'PUT' } }, '"verb" has no effect on an attribute.'],
    [{ 'User.buy': { writable: true } }, '"writable" has no effect on a method. Here may stand: expose, path, verb,'],
    [{ 'User.name': { writable: true } }, '"writable" has no effect on a key. Here may stand: expose, scopes,'],
    [{ 'User.buy': { create: {} } }, '"create" and "read" are said of an entity, not of one'],
  ])('stops the start, with what has: %j', (overrides, message) => {
    expect(() => compile(overrides)).toThrow(message)
  })
})
