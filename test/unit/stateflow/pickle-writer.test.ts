import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { Op } from '../../../src/runtime-adapters/stateflow/pickle-opcodes.ts'
import { readPickle } from '../../../src/runtime-adapters/stateflow/pickle-reader.ts'
import { PickleWriter } from '../../../src/runtime-adapters/stateflow/pickle-writer.ts'
import { PythonObject } from '../../../src/runtime-adapters/stateflow/python-objects.ts'
import { entitiesWith, invocationOf, recordOf } from './entities.ts'

function written(value: unknown, schema: JsonSchema = {}, memoize = true): Buffer {
  const writer = new PickleWriter()
  writer.op(Op.Proto, 4)
  writer.value({ value, schema }, memoize)
  writer.op(Op.Stop)
  return writer.take()
}

const tuple = (length: number): JsonSchema => ({
  type: 'array',
  prefixItems: Array.from({ length }, () => ({ type: 'integer' })),
})

describe('what is written is read again', () => {
  it.each<[string, unknown, JsonSchema]>([
    ['nothing', null, {}],
    ['booleans', [true, false], {}],
    ['an int of 3,000 bits', 2n ** 3_000n, {}],
    ['a negative one', -(2n ** 3_000n), {}],
    ['doubles', [0.1, -1.5e300, 5e-324], {}],
    ['text of 70,000 characters', 'é'.repeat(70_000), {}],
    ['2,001 items', Array.from({ length: 2_001 }, (_, index) => index), {}],
    ['no tuple item', [], tuple(0)],
    ['one', [1], tuple(1)],
    ['three', [1, 2, 3], tuple(3)],
    ['five', [1, 2, 3, 4, 5], tuple(5)],
  ])('with marks for the memo and without: %s', (_name, value, schema) => {
    expect(readPickle(written(value, schema))).toStrictEqual(value)
    expect(readPickle(written(value, schema, false))).toStrictEqual(value)
  })

  it('a dict of 1,001 members', () => {
    const members = Array.from({ length: 1_001 }, (_, index) => [`m${index}`, index] as const)
    expect(readPickle(written(Object.fromEntries(members)))).toEqual(new Map(members))
  })

  it('but what is no JSON data is refused', () => {
    expect(() => written(Symbol('x'))).toThrow('not JSON data')
  })
})

const address = (key: string | null) => ({
  function_type: { namespace: 'global', name: 'Thing', stateful: true },
  key,
})

/** A flow of one node that takes a reference to another entity, and one of whatever value. */
const meet = {
  name: 'meet',
  params: [
    { name: 'other', entity: 'Thing' },
    { name: 'gift', schema: { type: 'number' } },
  ],
  runtime: {
    request: 'EventFlow',
    flow: {
      graph: {
        current: 1,
        1: {
          ...{ type: 'INVOKE_SPLIT_FUN', fun_addr: address(null), id: 1, next: [2], previous: 0, fun_name: 'meet_0' },
          ...{ input: { other: null, gift: null, fixed: [true, { a: 1 }] }, output: {}, params: [], definitions: [] },
          typed_params: [],
        },
        2: { type: 'RETURN', fun_addr: null, id: 2, next: [], previous: -1, input: {}, output: {}, return_name: '' },
      },
      bind: {
        key: ['/1/fun_addr/key'],
        params: {
          other: [{ pointer: '/1/input/other', as: 'ref', entity: 'Thing' }],
          gift: [{ pointer: '/1/input/gift', as: 'value' }],
        },
      },
      unbound: [],
    },
  },
}

describe('a reference in a flow', () => {
  const entities = entitiesWith([meet])
  const call = { kind: 'call', entity: 'Thing', key: 'a', method: 'meet', args: { other: 'b', gift: 2 } } as const
  const invocation = invocationOf(call, 'id', entities)

  it('is an InternalClassRef in JSON', () => {
    const { value } = recordOf(createStateflowDialect({ serializer: 'json', entities }), invocation)
    const { payload } = JSON.parse(value.toString())
    expect(payload.flow['1'].input).toEqual({
      other: { _type: 'InternalClassRef', fun_addr: address('b'), attributes: {} },
      gift: 2,
      fixed: [true, { a: 1 }],
    })
    expect(payload.flow['1'].fun_addr).toEqual(address('a'))
    expect(value.toString()).toContain('"gift":2.0')
  })

  it('is one in pickle, with its own address', () => {
    const event = readPickle(recordOf(createStateflowDialect({ entities }), invocation).value)
    const node = at(event, 'payload', 'flow', 'id_to_node', '1')
    expect(at(node, 'input', 'other')).toBeInstanceOf(PythonObject)
    expect(at(node, 'input', 'other', '_fun_addr', 'key')).toBe('b')
    expect(at(node, 'input', 'other', '_fun_addr', 'function_type', 'name')).toBe('Thing')
    expect(at(node, 'fun_addr')).toBe(at(event, 'fun_address'))
    expect(at(node, 'input', 'gift')).toBe(2)
    expect(at(event, 'payload', 'flow', 'id_to_node', '2', 'fun_addr')).toBeNull()
    expect(at(node, 'status')).toBe('PENDING')
  })
})

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((holder, name) => {
    if (holder instanceof PythonObject) return holder.attributes.get(name)
    return holder instanceof Map ? holder.get(name) : undefined
  }, value)
}
