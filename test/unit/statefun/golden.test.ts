import { describe, expect, it } from 'vitest'
import { createStatefunDialect, ingressOf } from '../../../src/runtime-adapters/statefun/dialect.ts'
import { fromFunction, toFunction, wrappers } from '../../../src/runtime-adapters/statefun/protobuf.ts'
import { wrapperNamed } from '../../../src/runtime-adapters/statefun/wrapper-types.ts'
import { asking, buyItem, entitiesWith, ping, received } from './entities.ts'

/** Records as they went to and came from StateFun 3.3 with functions of the npm SDK. */
describe('recorded records', () => {
  const entities = entitiesWith([buyItem, ping], { state: { method: 'get' } })
  const { request, answer, dialect } = asking(entities)
  const id = '48015d1e-0000-4000-8000-000000000000'
  const text = (record: { readonly value: Buffer }) => record.value.toString().replace(/"[0-9a-f-]{36}"/, '"ID"')

  it('of a create', () => {
    const record = request({ kind: 'create', args: { username: 'alice', balance: 25 } })
    expect([record.topic, record.key.toString()]).toEqual(['sf-user', 'alice'])
    expect(text(record)).toBe('{"correlation_id":"ID","method":"create","args":{"username":"alice","balance":25}}')
    const reply = `{"correlation_id":"46fd544e-52a1-4c1b-9a51-7d0c3f1f2b11","function":"shop/user","id":"alice","ok":true,"result":{"username":"alice"}}`
    expect(answer(reply, { kind: 'create', args: { username: 'alice' } })).toEqual({ kind: 'created', key: 'alice' })
  })

  it('of a call over two functions', () => {
    const args = { amount: 2, item: 'pc' }
    const record = request({ method: 'buy_item', args })
    expect(record.key.toString()).toBe('alice')
    expect(text(record)).toBe('{"correlation_id":"ID","method":"buy_item","args":{"amount":2,"item":"pc"}}')
    const reply = `{"correlation_id":"46fd544e-52a1-4c1b-9a51-7d0c3f1f2b11","function":"shop/user","id":"alice","ok":true,"result":true}`
    expect(answer(reply, { method: 'buy_item', args })).toEqual({ kind: 'returned', value: true })
  })

  it('of an entity that is not there', () => {
    const reply = `{"correlation_id":"46fd544e-52a1-4c1b-9a51-7d0c3f1f2b11","function":"shop/user","id":"ghost","ok":false,"error":{"code":"KEY_NOT_FOUND","message":"no user ghost"}}`
    expect(answer(reply, { kind: 'read-state', key: 'ghost' })).toEqual({
      kind: 'rejected',
      reason: 'entity-not-found',
      detail: 'no user ghost',
      effect: 'none',
    })
  })

  it('are matched by the id in them, and by their key', () => {
    const value = `{"correlation_id":"${id}","function":"shop/user","id":"alice","ok":true,"result":{"caller":null}}`
    expect(dialect.correlationOf(received(value, id))).toBe(id)
    expect(dialect.correlationOf(received('{}', id))).toBe(id)
    expect(dialect.correlationOf(received(value))).toBe(id)
  })

  it('go where module.yaml leads them', () => {
    expect(Object.fromEntries(ingressOf(entities))).toEqual({
      'sf-user': { functionType: 'shop/user', valueType: 'shop/request' },
    })
    expect(createStatefunDialect({ entities }).topics).toEqual({ requests: ['sf-user'], replies: ['sf-replies'] })
  })
})

describe('recorded bytes', () => {
  it.each([
    ['string', 'hi', '0a026869'],
    ['int', 5, '0d05000000'],
    ['int', -1, '0dffffffff'],
    ['bool', true, '0801'],
    ['long', 5, '090500000000000000'],
    ['long', 9007199254740993n, '090100000000002000'],
    ['long', -(2n ** 63n), '090000000000000080'],
    ['float', 1.5, '0d0000c03f'],
    ['double', 1.5, '09000000000000f83f'],
  ] as const)('of io.statefun.types/%s: %s', (name, value, hex) => {
    const type = wrapperNamed(name)
    expect(Buffer.from(type.write(value)).toString('hex')).toBe(hex)
    expect(type.read(Buffer.from(hex, 'hex'))).toBe(value)
  })

  it.each([
    ['string', '', '0a00'],
    ['int', 0, '0d00000000'],
    ['bool', false, '0800'],
    ['long', 0, '090000000000000000'],
    ['double', 0, '090000000000000000'],
  ] as const)('of nothing in %s are none, and are read written out too', (name, value, hex) => {
    const type = wrapperNamed(name)
    expect(type.write(value)).toEqual(Buffer.alloc(0))
    expect(type.read(Buffer.from(hex, 'hex'))).toBe(value)
    expect(type.read(Buffer.alloc(0))).toBe(value)
  })

  it('of a request to a function', () => {
    const value = Buffer.from('{"correlation_id":"c1","method":"create","args":{"balance":5}}')
    const bytes = toFunction.encode({
      invocation: {
        target: { namespace: 'shop', type: 'user', id: 'a' },
        state: [],
        invocations: [{ caller: null, argument: { typename: 'shop/request', hasValue: true, value } }],
      },
    })
    expect(bytes.toString('hex')).toBe(
      'a206650a0f0a0473686f701204757365721a01611a5212500a0c73686f702f7265717565737410011a3e7b22636f7272656c6174696f6e5f6964223a226331222c226d6574686f64223a22637265617465222c2261726773223a7b2262616c616e6365223a357d7d',
    )
  })

  it('of a function that asks for its state, with a time to live', () => {
    const bytes = Buffer.from(
      'aa06280a260a05636f756e741206080110e0d4031a15696f2e737461746566756e2e74797065732f696e74',
      'hex',
    )
    const [spec] = fromFunction.decode(bytes).incompleteInvocationContext?.missingValues ?? []
    expect(spec).toMatchObject({
      stateName: 'count',
      typeTypename: 'io.statefun.types/int',
      expirationSpec: { mode: 1 },
    })
    expect(Number(spec?.expirationSpec?.expireAfterMillis)).toBe(60_000)
  })

  it('that are no such message are not read', () => {
    expect(wrapperNamed('string').read(Buffer.from('alice'))).toBeUndefined()
    expect(() => wrappers.string.decode(Buffer.from('{"a":1}'))).toThrow()
  })
})
