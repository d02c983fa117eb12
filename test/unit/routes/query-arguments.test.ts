import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import { buildScriptedApp } from '../../helpers/scripted-app.ts'

/** What a safe method with one parameter is called with; the status where it is not called. */
async function argumentOf(schema: JsonSchema, query: string): Promise<unknown> {
  const key = { name: 'id', schema: { type: 'string' } }
  const method = { name: 'find', params: [{ name: 'x', schema, required: false }] }
  const { app, invocations } = buildScriptedApp({
    entities: [{ name: 'Shelf', key, methods: [method] }],
    overrides: { 'Shelf.find': { safe: true } },
  })
  const { statusCode } = await app.inject(`/shelf/a/find?${query}`)
  return invocations[0] === undefined ? statusCode : invocations[0].args.x
}

const optionalText = { type: ['string', 'null'] }
const list = { type: 'array', items: { type: 'integer' } }
const lists = { type: 'array', items: list }
const objects = { type: 'array', items: { type: 'object', properties: { a: { type: 'integer' } } } }

describe('an argument in a query', () => {
  it.each([
    ['digits', optionalText, 'x=123', '123'],
    ['a word of JSON', optionalText, 'x=true', 'true'],
    ['nothing', optionalText, 'x=null', null],
    ['one of some texts', { enum: ['1', '2'] }, 'x=1', '1'],
    ['a fixed text', { const: '1' }, 'x=1', '1'],
    ['a text or a truth', { anyOf: [{ type: 'boolean' }, { type: 'string' }] }, 'x=1.50', '1.50'],
  ])('is a text where nothing else fits: %s', async (_what, schema, query, read) => {
    expect(await argumentOf(schema, query)).toBe(read)
  })

  it.each([
    ['a number before a text', { type: ['string', 'integer'] }, 'x=123', 123],
    ['any value', {}, 'x={"a":[1]}', { a: [1] }],
    ['an integer', { type: 'integer' }, 'x=9007199254740993', 9007199254740993n],
  ])('is JSON where that fits: %s', async (_what, schema, query, read) => {
    expect(await argumentOf(schema, query)).toEqual(read)
  })

  it.each([
    ['one item', list, 'x=1', [1]],
    ['items', list, 'x=1&x=2', [1, 2]],
    ['lists, each by itself', lists, 'x=[1]&x=[2]', [[1], [2]]],
    ['lists as a whole', lists, 'x=[[1],[2]]', [[1], [2]]],
    ['one object', objects, 'x={"a":1}', [{ a: 1 }]],
    ['objects as a whole', objects, 'x=[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ['a list as a whole, where it may be null', { ...list, type: ['array', 'null'] }, 'x=[1]', [1]],
  ])('may be a list: %s', async (_what, schema, query, read) => {
    expect(await argumentOf(schema, query)).toEqual(read)
  })

  it('is refused where neither fits', async () => {
    expect(await argumentOf({ type: ['integer', 'null'] }, 'x=ten')).toBe(400)
    expect(await argumentOf(list, 'x=[1,2]')).toBe(400)
  })
})
