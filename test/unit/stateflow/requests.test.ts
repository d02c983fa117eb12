import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import type { MetadataMethod } from '../../../src/entity-registry/metadata-schema.ts'
import type { Key } from '../../../src/runtime-adapters/contract.ts'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { readPickle } from '../../../src/runtime-adapters/stateflow/pickle-reader.ts'
import { PythonObject } from '../../../src/runtime-adapters/stateflow/python-objects.ts'
import { demoEntities, entitiesWith, entityNamed, invocationOf, received, recordOf } from './entities.ts'

const id = '3f0e8a52-6a53-4a5e-9a51-7d0c3f1f2b11'
const take = (schema: JsonSchema, required = true): MetadataMethod => ({
  name: 'take',
  params: [{ name: 'x', schema, required }],
  runtime: { request: 'InvokeStateful' },
})

/** The JSON text of one argument. */
function jsonOf(schema: JsonSchema, x: unknown): string {
  const entities = entitiesWith([take(schema)])
  const dialect = createStateflowDialect({ serializer: 'json', entities })
  const call = { kind: 'call', entity: 'Thing', key: 'k', method: 'take', args: { x } } as const
  const text = recordOf(dialect, invocationOf(call, id, entities)).value.toString()
  return /"args":\{"x":(.*)\},"method_name":"take"/.exec(text)?.[1] ?? text
}

describe('arguments', () => {
  it.each(['plain', 'Ä', 'ÿ', 'Ā', '日本', '😀', '\u0000', '\u007f', '\u0080'])('%j is written in UTF-8', (text) => {
    const schema: JsonSchema = { type: 'string' }
    const entities = entitiesWith([take(schema)])
    const dialect = createStateflowDialect({ serializer: 'json', entities })
    for (const [key, x] of [
      [text, 'ascii'],
      ['ascii', text],
    ] as const) {
      const call = { kind: 'call', entity: 'Thing', key, method: 'take', args: { x } } as const
      const { value } = recordOf(dialect, invocationOf(call, id, entities))
      const event = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value))
      expect([event.fun_address.key, event.payload.args.x]).toEqual([key, x])
    }
  })

  const int: JsonSchema = { type: 'integer' }
  const float: JsonSchema = { type: 'number' }
  it.each([
    ['an int stays one', int, 5, '5'],
    ['a float that is whole has a point', float, 5, '5.0'],
    ['a float beyond 2^53 has an exponent or a point', float, 1e21, '1e+21'],
    ['a float of many digits', float, 12345678901234567890n, '12345678901234567000.0'],
    ['minus nothing', float, -0, '-0.0'],
    ['an int of 64 bits', int, -(2n ** 63n), '-9223372036854775808'],
    ['an int beyond 2^53 that came with an exponent', int, 1e18, '1000000000000000000'],
    ['a number of no type', {}, 5, '5'],
    ['a list of floats', { type: 'array', items: float }, [1, 2.5], '[1.0,2.5]'],
    ['a dict of floats', { type: 'object', additionalProperties: float }, { a: 1 }, '{"a":1.0}'],
    [
      'a member by its own schema',
      { type: 'object', properties: { a: float, b: int } },
      { a: 1, b: 1 },
      '{"a":1.0,"b":1}',
    ],
    ['a tuple', { type: 'array', prefixItems: [int, float], items: false }, [1, 2], '[1,2.0]'],
    ['an optional float', { anyOf: [float, { type: 'null' }] }, 1, '1.0'],
    ['an optional float left empty', { anyOf: [float, { type: 'null' }] }, null, 'null'],
    ['a list of types', { type: ['number', 'null'] }, 1, '1.0'],
    ['an int before a float', { anyOf: [int, float] }, 1, '1'],
    ['a float before text', { oneOf: [{ type: 'string' }, float] }, 1, '1.0'],
    [
      'the list that fits',
      {
        anyOf: [
          { type: 'array', items: int },
          { type: 'array', items: float },
        ],
      },
      [1, 2.5],
      '[1.0,2.5]',
    ],
    [
      'the object that fits',
      {
        anyOf: [
          { type: 'object', properties: { k: { const: 'a' }, v: int } },
          { type: 'object', properties: { k: { const: 'b' }, v: float } },
        ],
      },
      { k: 'b', v: 1 },
      '{"k":"b","v":1.0}',
    ],
    ['a type given apart', { allOf: [float, { minimum: 0 }] }, 1, '1.0'],
    ['an enum', { enum: [1, 2] }, 2, '2'],
    ['text with everything', { type: 'string' }, '"\\\u0000é😀\ud800', '"\\"\\\\\\u0000é😀\\ud800"'],
  ] as const)('are written as their schema says: %s', (_name, schema, value, text) => {
    expect(jsonOf(schema, value)).toBe(text)
  })

  it('that may be left out are sent as None', () => {
    const entities = entitiesWith([take({ type: ['string', 'null'] }, false)])
    const call = { kind: 'call', entity: 'Thing', key: 'k', method: 'take', args: {} } as const
    const invocation = invocationOf(call, id, entities)
    const json = recordOf(createStateflowDialect({ serializer: 'json', entities }), invocation)
    expect(json.value.toString()).toContain('"args":{"x":null}')
    const event = readPickle(recordOf(createStateflowDialect({ entities }), invocation).value)
    const payload = event instanceof PythonObject ? event.attributes.get('payload') : undefined
    const args = payload instanceof Map ? payload.get('args') : undefined
    expect(args instanceof PythonObject ? args.attributes.get('_args') : undefined).toEqual(new Map([['x', null]]))
  })

  it('named like a part of the event do not disturb it', () => {
    const names = ['take', 'key', 'args', 'b', 'a']
    const params = names.map((name) => ({ name, schema: { type: 'string' } }))
    const entities = entitiesWith([{ name: 'take', params, runtime: { request: 'InvokeStateful' } }])
    const args = Object.fromEntries(names.map((name) => [name, `${name}!`]))
    const call = { kind: 'call', entity: 'Thing', key: 'k', method: 'take', args } as const
    const event = readPickle(recordOf(createStateflowDialect({ entities }), invocationOf(call, id, entities)).value)
    const payload = event instanceof PythonObject ? event.attributes.get('payload') : undefined
    const sent = payload instanceof Map ? payload : new Map()
    expect(sent.get('method_name')).toBe('take')
    const holder: unknown = sent.get('args')
    expect(holder instanceof PythonObject ? holder.attributes.get('_args') : undefined).toEqual(
      new Map(Object.entries(args)),
    )
  })
})

describe('routes', () => {
  const create = { kind: 'create', entity: 'User', args: { username: 'a/b' } } as const
  const call = { kind: 'call', entity: 'User', key: 'a/b', method: 'get_balance' } as const
  const buy = { kind: 'call', entity: 'User', key: 'u', method: 'buy_item', args: { amount: 1, item: 'i' } } as const
  const loop = { kind: 'call', entity: 'User', key: 'u', method: 'simple_for_loop', args: { users: ['v'] } } as const
  const where = (dialect: ReturnType<typeof createStateflowDialect>, asked: Parameters<typeof invocationOf>[0]) => {
    const { topic, key } = recordOf(dialect, invocationOf(asked, id))
    return [topic, key.toString()]
  }

  it('of one entity share a record key with its create, so that they keep their order', () => {
    const dialect = createStateflowDialect({ routing: 'dataflow', entities: demoEntities })
    expect(where(dialect, create)).toEqual(['client_request', 'global/User/a/b'])
    expect(where(dialect, call)).toEqual(['client_request', 'global/User/a/b'])
    expect(where(dialect, buy)).toEqual(['client_request', 'global/User/u'])
    expect(dialect.ping?.(id)).toMatchObject({ topic: 'client_request', key: Buffer.from(id) })
    expect(dialect.topics).toEqual({ requests: ['client_request'], replies: ['client_reply'] })
  })

  it('of a create whose key the runtime makes up carry the invocation’s id', () => {
    const entities = entitiesWith([], { key: { name: 'id', schema: { type: 'string' }, generated: true } })
    const asked = { kind: 'create', entity: 'Thing', args: { id: 'x' } } as const
    const record = recordOf(createStateflowDialect({ entities }), invocationOf(asked, id, entities))
    expect(record.key.toString()).toBe(id)
  })

  it('are the topics of StateFun, a flow’s where it starts', () => {
    const dialect = createStateflowDialect({ routing: 'statefun', entities: demoEntities })
    expect(where(dialect, create)).toEqual(['global_User_create', id])
    expect(where(dialect, call)).toEqual(['global_User', 'a/b'])
    expect(where(dialect, buy)).toEqual(['global_Item', 'i'])
    expect(where(dialect, loop)).toEqual(['global_User', 'u'])
    expect(dialect.ping?.(id)).toMatchObject({ topic: 'globals_ping', key: Buffer.from(id) })
    expect([...dialect.topics.requests].toSorted()).toEqual([
      ...['global_Item', 'global_Item_create', 'global_User', 'global_User_create', 'globals_ping'],
    ])
  })

  it('take other names from the options', () => {
    const topics = { requestTopic: 'in', replyTopic: 'out', pingTopic: 'p', topicPrefix: 'x-' }
    const dataflow = createStateflowDialect({ ...topics, entities: demoEntities })
    expect(dataflow.topics).toEqual({ requests: ['in'], replies: ['out'] })
    const statefun = createStateflowDialect({ ...topics, routing: 'statefun', entities: demoEntities })
    expect(where(statefun, call)[0]).toBe('x-global_User')
    expect(statefun.topics.requests).toContain('p')
  })

  it.each([
    ['the text that marks a missing value', '__Null__'],
    ['an object that looks like a reference', { _type: 'InternalClassRef' }],
    ['a list of them', [{ _type: 'InternalClassRef' }]],
    ['one deep inside', { a: [{ b: { _type: 'x' } }] }],
  ])('are refused when an argument is %s', (_what, value) => {
    const entities = entitiesWith([
      { name: 'take', params: [{ name: 'value', schema: {} }], runtime: { request: 'InvokeStateful' } },
    ])
    const call = { kind: 'call', entity: 'Thing', key: 'k', method: 'take', args: { value } } as const
    for (const serializer of ['pickle', 'json'] as const) {
      const dialect = createStateflowDialect({ serializer, entities })
      expect(dialect.encode(invocationOf(call, id, entities))).toMatchObject({ kind: 'not-sent', cause: 'unsupported' })
    }
  })

  it('never carry a key that StateFlow takes for none', () => {
    const number = entitiesWith([], { key: { name: 'id', schema: { type: 'integer' } }, create: undefined as never })
    for (const [entities, key] of [
      [demoEntities, ''],
      [number, 0],
      [number, 0n],
      [demoEntities, 5],
    ] as const) {
      const target = { kind: 'find', entity: entities[0] ?? entityNamed('User'), key: key as Key } as const
      const invocation = { id, target, args: {}, deadline: 0, context: {} }
      for (const serializer of ['pickle', 'json'] as const) {
        expect(createStateflowDialect({ serializer, entities }).encode(invocation)).toMatchObject({
          kind: 'not-sent',
          cause: 'unsupported',
          detail: expect.stringContaining('with the key'),
        })
      }
    }
  })
})

describe('the id of a reply', () => {
  const dialect = createStateflowDialect({ entities: demoEntities })
  it.each([
    ['the record’s key', id, 'anything'],
    ['JSON', '', `{"event_id":"${id}"}`],
    ['JSON with spaces', '', `{ "a": 1, "event_id" :  "${id}" }`],
    ['JSON, under a key that is no id', 'user-1', `{"event_id":"${id}"}`],
    ['a pickle', '', `\u0080\u0004\u008c\u0008event_id\u0094\u008c$${id}\u0094`],
  ])('is found in %s', (_name, key, value) => {
    expect(dialect.correlationOf(received(Buffer.from(value, 'latin1'), Buffer.from(key)))).toBe(id)
  })

  it.each([
    ['', ''],
    ['', '{"event_id":""}'],
    ['', '{"event_id":"not-a-uuid-at-all-but-with-dashes-in-it"}'],
    ['', `{"id":"${id}"}`],
    ['', `{"event_id":"${id.slice(0, 30)}`],
    [id.slice(1), ''],
  ])('is not found where there is none: %s %s', (key, value) => {
    expect(dialect.correlationOf(received(Buffer.from(value), Buffer.from(key)))).toBeUndefined()
  })
})
