import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import { createRequestValidator, createValidator } from '../../../src/routes/validator.ts'

const TO_53 = 2 ** 53
const TO_60 = 2 ** 60
const integer = (bounds: JsonSchema): JsonSchema => ({ type: 'integer', ...bounds })
const list = (schema: JsonSchema): JsonSchema => ({ type: 'array', uniqueItems: true, ...schema })

const takes = (schema: JsonSchema, value: unknown) => createValidator(schema)(value).length === 0

/** The schema, what it takes, and what it refuses. */
const exact: readonly (readonly [JsonSchema, unknown, unknown])[] = [
  [integer({ maximum: TO_60 }), 2n ** 60n, 2n ** 60n + 1n],
  [integer({ minimum: TO_60 + 256 }), 2n ** 60n + 256n, 2n ** 60n + 255n],
  [integer({ exclusiveMaximum: TO_60 }), 2n ** 60n - 1n, 2n ** 60n],
  [integer({ exclusiveMinimum: TO_53 }), 2n ** 53n + 1n, 2n ** 53n],
  [integer({ minimum: -TO_60 }), -(2n ** 60n), -(2n ** 60n) - 1n],
  [integer({ const: TO_53 }), 2n ** 53n, 2n ** 53n + 1n],
  [integer({ enum: [1, TO_53] }), 2n ** 53n, 2n ** 53n + 1n],
  [integer({ multipleOf: 2 }), 2n ** 53n + 2n, 2n ** 53n + 1n],
  [{ type: 'number', multipleOf: 0.1 }, 2n ** 53n + 1n, undefined],
  [{ type: 'number', multipleOf: 2.5 }, 2n ** 53n + 3n, 2n ** 53n + 1n],
  [integer({ format: 'int64' }), 2n ** 63n - 1n, 2n ** 63n],
  [integer({ format: 'int64' }), -(2n ** 63n), -(2n ** 63n) - 1n],
  [integer({ format: 'int32' }), 5, 2n ** 53n],
  [list({ items: { type: 'integer' } }), [2n ** 53n, 2n ** 53n + 1n], [2n ** 53n + 1n, 2n ** 53n + 1n]],
  [
    list({}),
    [{ a: 2n ** 53n }, { a: 2n ** 53n + 1n }],
    [
      { a: 2n ** 53n, b: 1 },
      { b: 1, a: 2n ** 53n },
    ],
  ],
  [{ const: { a: [TO_53] } }, { a: [2n ** 53n] }, { a: [2n ** 53n + 1n] }],
  [{ maximum: TO_53 }, 2n ** 53n, 2n ** 53n + 1n],
  [{ not: { type: 'integer' } }, 1.5, 2n ** 53n],
  [{ oneOf: [{ type: 'integer' }, { minimum: TO_60 }] }, 2n ** 53n, 2n ** 60n],
  [{ anyOf: [integer({ maximum: TO_53 }), { type: 'string' }] }, 2n ** 53n, 2n ** 53n + 1n],
]

describe('a validator', () => {
  it.each(exact)('compares integers past 2^53 digit for digit: %j', (schema, fitting, unfitting) => {
    expect(takes(schema, fitting)).toBe(true)
    expect(takes(schema, unfitting)).toBe(false)
    const deep: JsonSchema = { type: 'object', additionalProperties: { type: 'array', prefixItems: [true, schema] } }
    expect(takes(deep, { a: [1, fitting] })).toBe(true)
    expect(takes(deep, { a: [1, unfitting] })).toBe(false)
  })

  it('says of such an integer what it says of others', () => {
    const schema = { type: 'object', properties: { a: integer({ enum: [1, 2] }), b: integer({ maximum: 5 }) } }
    const places = createValidator(schema)({ a: 2n ** 53n, b: 2n ** 53n })
    expect(places).toEqual([
      { pointer: '#/a', detail: 'must be one of [1,2]' },
      { pointer: '#/b', detail: 'must be <= 5' },
    ])
    expect(createValidator(schema)({ a: 3, b: 6 })).toEqual(places)
  })

  it('does not take the name of a member for a number', () => {
    const schema = { type: 'object', propertyNames: { enum: ['a'] }, properties: { a: { type: 'integer' } } }
    expect(takes(schema, { a: 2n ** 53n })).toBe(true)
    expect(takes(schema, { b: 2n ** 53n })).toBe(false)
  })

  it('takes a double beyond 64 bits for a number, and for no integer', () => {
    for (const value of [2 ** 63, 1e20, -1e300]) {
      expect(takes({ type: 'number' }, value)).toBe(true)
      expect(takes({ type: ['integer', 'number'] }, value)).toBe(true)
      expect(createValidator({ type: 'integer' })(value)).toEqual([
        { pointer: '#', detail: 'must be integer of 64 bits' },
      ])
      expect(takes({ type: 'array', items: { type: 'integer' } }, [2n ** 53n, value])).toBe(false)
    }
  })
})

describe('a validator of text', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' }, x: { type: 'number' } } }
  const validate = createRequestValidator({ schema, httpPart: 'querystring' })

  it('makes numbers of what a double can hold', () => {
    expect(validate({ n: '9007199254740991', x: '1e300' })).toEqual({ value: { n: 9007199254740991, x: 1e300 } })
  })

  it.each([{ n: '9007199254740993' }, { n: '-9007199254740993' }, { n: '1e400' }, { x: '1e400' }, { x: '-1e400' }])(
    'refuses %j',
    (query) => {
      expect(validate(query).error).toMatchObject([{ message: 'must be number that a double can hold' }])
    },
  )
})

describe('a validator of names that every object inherits', () => {
  const text = { type: 'string' }
  const named = { type: 'object', additionalProperties: false, properties: { constructor: text, toString: text } }

  it('takes what every object inherits for no member that was sent', () => {
    expect(createValidator(named)({})).toEqual([])
    expect(createValidator({ type: 'array', items: named })([{}])).toEqual([])
    expect(createValidator({ ...named, required: ['constructor'] })({})).toEqual([
      { pointer: '#/constructor', detail: 'is required' },
    ])
    expect(createValidator({ type: 'object', required: ['valueOf'] })({})).toHaveLength(1)
    expect(createRequestValidator({ schema: named, httpPart: 'body' })({})).toMatchObject({ value: {} })
  })

  it('checks a member of such a name that was sent', () => {
    expect(createValidator(named)({ constructor: 'x' })).toEqual([])
    expect(createValidator(named)({ constructor: 5 })).toEqual([{ pointer: '#/constructor', detail: 'must be string' }])
    expect(createValidator(named)({ valueOf: 'x' })).toHaveLength(1)
  })
})
