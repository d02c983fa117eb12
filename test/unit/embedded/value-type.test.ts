import { type TSchema, Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { Int64 } from '../../../src/runtime-adapters/embedded/schema-types.ts'
import { compileValueType, deliverTo } from '../../../src/runtime-adapters/embedded/value-type.ts'

describe('a declared type', () => {
  it.each<[string, TSchema, unknown, unknown]>([
    ['alone', Int64(), 5, 5n],
    ['the largest of all', Int64(), 2n ** 63n - 1n, 2n ** 63n - 1n],
    ['the least of all', Int64(), -(2n ** 63n), -(2n ** 63n)],
    ['in a list', Type.Array(Int64()), [1, 2n ** 60n], [1n, 2n ** 60n]],
    ['in a tuple', Type.Tuple([Type.String(), Int64()]), ['a', 1], ['a', 1n]],
    ['in an object', Type.Object({ a: Int64(), b: Type.Integer() }), { a: 1, b: 1 }, { a: 1n, b: 1 }],
    ['in a record', Type.Record(Type.String(), Type.Array(Int64())), { x: [1] }, { x: [1n] }],
    ['by a pattern', Type.Record(Type.String({ pattern: '^n_' }), Int64()), { n_a: 1 }, { n_a: 1n }],
    ['or null', Type.Union([Int64(), Type.Null()]), null, null],
    ['or a float, which keeps its fraction', Type.Union([Int64(), Type.Number()]), 1.5, 1.5],
    ['or a list, as an integer', Type.Union([Type.Array(Type.String()), Int64()]), 7, 7n],
  ])('delivers 64-bit integers as bigint and takes them back: %s', (_what, source, given, delivered) => {
    const type = compileValueType(source)
    const value = deliverTo(type, given)
    expect(value).toEqual(delivered)
    expect(() => type.check(value, 'it')).not.toThrow()
  })

  const counted = Type.Object({ kind: Type.Literal('count'), n: Int64() })
  const priced = Type.Object({ kind: Type.Literal('price'), n: Type.Number() })
  const numbered = Type.Object({ kind: Type.Literal('number'), n: Type.Integer() })
  const listed = Type.Array(Type.Union([counted, priced]))
  it.each<[string, TSchema, unknown, unknown]>([
    ['the first', Type.Union([counted, priced]), { kind: 'count', n: 2 }, { kind: 'count', n: 2n }],
    ['the last', Type.Union([priced, counted]), { kind: 'count', n: 2 }, { kind: 'count', n: 2n }],
    ['a float', Type.Union([counted, priced]), { kind: 'price', n: 2 }, { kind: 'price', n: 2 }],
    ['a large float', Type.Union([counted, priced]), { kind: 'price', n: 10n ** 20n }, { kind: 'price', n: 1e20 }],
    ['a plain integer', Type.Union([counted, numbered]), { kind: 'number', n: 2 }, { kind: 'number', n: 2 }],
    ['or null', Type.Union([Type.Null(), counted]), { kind: 'count', n: 2 }, { kind: 'count', n: 2n }],
    [
      'a list',
      Type.Union([listed, counted]),
      [
        { kind: 'price', n: 1 },
        { kind: 'count', n: 1 },
      ],
      [
        { kind: 'price', n: 1 },
        { kind: 'count', n: 1n },
      ],
    ],
    ['one of two lists', Type.Union([Type.Array(Int64()), Type.Array(Type.String())]), ['a'], ['a']],
    [
      'one within another',
      Type.Union([Type.Union([counted, priced]), numbered]),
      { kind: 'count', n: 2 },
      { kind: 'count', n: 2n },
    ],
  ])('delivers to the branch of a union that fits: %s', (_what, source, given, delivered) => {
    const type = compileValueType(source)
    const value = deliverTo(type, given)
    expect(value).toEqual(delivered)
    expect(() => type.check(value, 'it')).not.toThrow()
  })

  it('delivers large floats as numbers at any depth', () => {
    const type = compileValueType(Type.Array(Type.Number()))
    expect(deliverTo(type, [10n ** 20n, 0.5])).toEqual([1e20, 0.5])
  })

  it.each<[string, TSchema, unknown, string]>([
    ['64 bits', Int64(), 2n ** 63n, 'it must be < 9223372036854775808.'],
    ['64 bits below zero', Int64(), -(2n ** 63n) - 1n, 'it must be >= -9223372036854775808.'],
    ['its own bounds', Int64({ minimum: 0 }), -1n, 'it must be >= 0.'],
    ['bounds that it excludes', Int64({ exclusiveMaximum: 5 }), 5n, 'it must be < 5.'],
    ['what a double keeps', Type.Integer(), 2 ** 53, 'it must be <= 9007199254740991.'],
    ['the members it names', Type.Object({ a: Type.Null() }), { a: null, b: 1 }, 'it.b'],
    ['its type in depth', Type.Object({ a: Type.Array(Type.String()) }), { a: ['x', 1] }, 'it.a.1 must be string.'],
  ])('keeps a value to %s', (_what, source, value, message) => {
    expect(() => compileValueType(source).check(value, 'it')).toThrow(message)
  })
})
