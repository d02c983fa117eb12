import { describe, expect, it } from 'vitest'
import type { MetadataMethod } from '../../../src/entity-registry/metadata-schema.ts'
import { asking, buyItem, entitiesWith, id, invocationOf, ping, type Runtime } from './entities.ts'

const buy = { method: 'buy_item', args: { amount: 1, item: 'pc' } } as const

function textOf(runtime: Runtime, method: MetadataMethod = buyItem, args: object = buy.args): string {
  const { request } = asking(entitiesWith([method], runtime, { create: 'none' }))
  return request({ method: method.name, args: { ...args } }).value.toString()
}

describe('a request', () => {
  it('has the runtime’s name of a method where it differs', () => {
    expect(textOf({}, { ...buyItem, runtime: { method: 'buy' } })).toContain('"method":"buy"')
  })

  it('goes to the topic that a method names', () => {
    const method = { ...buyItem, runtime: { topic: 'sf-buy', valueType: 'shop/buy' } }
    expect(asking(entitiesWith([method])).request(buy).topic).toBe('sf-buy')
  })

  it('goes to a topic made from the function’s type where none is named', () => {
    const entities = entitiesWith([ping], { topic: undefined, function: 'shop/cart' })
    const { topic: _none, ...runtime } = entities[0]?.runtime ?? {}
    const { request } = asking(entities.map((entity, index) => (index === 0 ? { ...entity, runtime } : entity)))
    expect(request({ method: 'ping' }).topic).toBe('shop_cart')
  })

  it.each<[string, Runtime, string]>([
    [
      'arguments at the root',
      { request: { arguments: '' } },
      `{"correlation_id":"${id}","method":"buy_item","amount":1,"item":"pc"}`,
    ],
    [
      'everything elsewhere',
      { request: { correlationId: '/meta/id', method: '/meta/op', key: 'who', arguments: '/body/in' } },
      `{"meta":{"id":"${id}","op":"buy_item"},"who":"alice","body":{"in":{"amount":1,"item":"pc"}}}`,
    ],
    ['no method', { request: { method: null } }, `{"correlation_id":"${id}","args":{"amount":1,"item":"pc"}}`],
    [
      'names with slashes and tildes',
      { request: { correlationId: '/a~1b~0c', arguments: 'args' } },
      `{"a/b~c":"${id}","method":"buy_item","args":{"amount":1,"item":"pc"}}`,
    ],
    [
      'the operator’s reply topic',
      { request: { replyTopic: '/reply_topic' } },
      `{"correlation_id":"${id}","reply_topic":"sf-replies","method":"buy_item","args":{"amount":1,"item":"pc"}}`,
    ],
  ])('has its envelope as the metadata says: %s', (_name, envelope, text) => {
    expect(textOf({ envelope })).toBe(text)
  })

  it('keeps every digit of an integer, and leaves out what was left out', () => {
    const params = ['a', 'b'].map((name) => ({ name, schema: { type: 'integer' }, required: false }))
    expect(textOf({}, { name: 'add', params }, { a: 9007199254740993n })).toContain('"args":{"a":9007199254740993}}')
  })

  it('has members named like those of every object', () => {
    const params = ['__proto__', 'constructor'].map((name) => ({ name, schema: {} }))
    const args = JSON.parse('{"__proto__":1,"constructor":2}')
    const { request } = asking(entitiesWith([{ name: 'set', params }]))
    expect(request({ method: 'set', args }).value.toString()).toContain('"args":{"__proto__":1,"constructor":2}')
  })

  it('writes a key of digits as text, with all of them', () => {
    const key = { name: 'number', schema: { type: 'integer' } }
    const { request } = asking(entitiesWith([ping], {}, { key, create: 'none' }))
    expect(request({ method: 'ping', key: 42 }).key.toString()).toBe('42')
    expect(request({ method: 'ping', key: 9007199254740993n }).key.toString()).toBe('9007199254740993')
  })

  it('of a create without a key is addressed by the invocation', () => {
    const create = { params: [{ name: 'balance', schema: { type: 'integer' } }] }
    const entities = entitiesWith([], {}, { create })
    const { request, answer } = asking(entities)
    expect(request({ kind: 'create', args: { balance: 1 } }).key.toString()).toBe(id)
    expect(answer('{"ok":true}', { kind: 'create' })).toEqual({ kind: 'created', key: id })
    expect(answer('{"ok":true,"id":"u1"}', { kind: 'create' })).toEqual({ kind: 'created', key: 'u1' })
  })

  it('asks for the state, for an attribute of it and for the entity in the same way', () => {
    const { request, dialect } = asking(entitiesWith([], { state: { method: 'show' } }))
    const text = `{"correlation_id":"${id}","method":"show","args":{}}`
    for (const kind of ['read-state', 'find'] as const) expect(request({ kind }).value.toString()).toBe(text)
    expect(request({ kind: 'read-attribute', attribute: 'balance' }).value.toString()).toBe(text)
    expect(dialect.capabilities).toMatchObject({ find: false, readState: false, writeAttribute: false })
  })
})

describe('a request by key', () => {
  it('has the invocation for its record’s key, and the entity’s key inside', () => {
    const { request, dialect } = asking(entitiesWith([buyItem], { correlation: 'key' }))
    const { key, value } = request(buy)
    expect(key.toString()).toBe(id)
    expect(value.toString()).toBe('{"method":"buy_item","key":"alice","args":{"amount":1,"item":"pc"}}')
    expect(dialect.ping).toBeUndefined()
  })
})

describe('a request by dispatch', () => {
  const entities = entitiesWith([buyItem], { correlation: 'dispatch' })
  const { request, dialect } = asking(entities)

  it('is packed with its address, for one topic', () => {
    const { topic, key, value } = request(buy)
    expect([topic, key.toString()]).toEqual(['gateway-dispatch', id])
    expect(JSON.parse(value.toString())).toEqual({
      function: 'shop/user',
      id: 'alice',
      type: 'shop/request',
      text: '{"method":"buy_item","args":{"amount":1,"item":"pc"}}',
    })
    expect(dialect.topics.requests).toEqual(['gateway-dispatch'])
  })

  it('has a ping that the dispatch function answers itself', () => {
    expect(dialect.ping?.(id)).toEqual({
      topic: 'gateway-dispatch',
      key: Buffer.from(id),
      value: Buffer.from('{"ping":true}'),
    })
  })

  it('carries values of any type', () => {
    const method = { name: 'send', params: [{ name: 'x', schema: { type: 'integer' } }] }
    const runtime = { correlation: 'dispatch', valueType: 'io.statefun.types/int' }
    const { request: asInt, answer } = asking(entitiesWith([method], runtime, { create: 'none' }))
    expect(JSON.parse(asInt({ method: 'send', args: { x: 5 } }).value.toString())).toMatchObject({
      type: 'io.statefun.types/int',
      text: '\r\u0005\u0000\u0000\u0000',
    })
    expect(JSON.parse(asInt({ method: 'send', args: { x: -1 } }).value.toString())).toMatchObject({
      base64: 'Df////8=',
    })
    expect(JSON.parse(asInt({ method: 'send', args: { x: 0 } }).value.toString())).toMatchObject({ text: '' })
    const reply = { correlation_id: id, function: 'shop/user', id: 'alice', type: 'io.statefun.types/int' }
    const read = (packed: object) => answer(JSON.stringify({ ...reply, ...packed }), { method: 'send' })
    expect(read({ base64: 'Df////8=' })).toEqual({ kind: 'returned', value: -1 })
    expect(read({ text: '' })).toEqual({ kind: 'returned', value: 0 })
  })
})

describe('never sent is', () => {
  const text: MetadataMethod = { name: 'say', params: [{ name: 'x', schema: {} }] }
  const json = asking(entitiesWith([text]))
  const say = (x: unknown) => json.refusal({ method: 'say', args: { x } })

  it.each([
    ['an empty key', () => json.refusal({ method: 'say', key: '', args: { x: 1 } }), /empty id/],
    ['half a character in the key', () => json.refusal({ method: 'say', key: '\ud800', args: { x: 1 } }), /surrogate/],
    ['half a character in a text', () => say('a\udc00'), /surrogate/],
    ['half a character deep in a value', () => say([{ a: ['\ud800'] }]), /surrogate/],
    ['half a character in a name', () => say({ '\ud800': 1 }), /surrogate/],
    ['an integer that Python can’t read', () => say(10n ** 4_300n), /4,300 digits/],
    ['a value that no reader’s stack bears', () => say(nested(300)), /200 deep/],
    ['a create with an empty key', () => json.refusal({ kind: 'create', args: { username: '' } }), /empty id/],
  ])('%s', (_name, refusal, reason) => {
    expect(refusal()).toMatch(reason)
  })

  it.each([
    ['int', 'integer', 2 ** 31],
    ['int', 'integer', -(2 ** 31) - 1],
    ['int', 'integer', 2n ** 63n],
    ['long', 'integer', 2n ** 63n],
    ['long', 'integer', 1e21],
    ['float', 'number', 1e39],
  ])('an io.statefun.types/%s that does not fit: %s %s', (name, type, x) => {
    const method = { name: 'send', params: [{ name: 'x', schema: { type } }] }
    const runtime = { correlation: 'dispatch', valueType: `io.statefun.types/${name}` }
    const { refusal } = asking(entitiesWith([method], runtime, { create: 'none' }))
    expect(refusal({ method: 'send', args: { x } })).toMatch(/^The argument is /)
  })

  it('base64 that is none', () => {
    const method = { name: 'send', params: [{ name: 'x', schema: { type: 'string' } }] }
    const runtime = { correlation: 'dispatch', encoding: 'base64' }
    const { refusal, request } = asking(entitiesWith([method], runtime, { create: 'none' }))
    expect(refusal({ method: 'send', args: { x: 'AQI' } })).toMatch(/not base64/)
    expect(JSON.parse(request({ method: 'send', args: { x: '/wE=' } }).value.toString()).base64).toBe('/wE=')
  })

  it('a record without a key or a value, whatever is asked', () => {
    const create = { params: [{ name: 'x', schema: { type: 'string' } }] }
    const entities = entitiesWith([], { correlation: 'key', encoding: 'raw' }, { create })
    const { dialect } = asking(entities)
    const record = dialect.encode(invocationOf(entities, { kind: 'create', args: { x: '' } }))
    expect(record).toEqual({ kind: 'not-sent', cause: 'unsupported', detail: 'The message would have no bytes.' })
  })
})

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)]
}
