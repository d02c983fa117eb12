import { describe, expect, it } from 'vitest'
import { covers, type Schema } from '../../../src/entity-registry/diff/schema-covers.ts'

type Case = readonly [outer: Schema, inner: Schema]

function each(verdict: string, cases: readonly Case[]): void {
  it.each(cases.map(([outer, inner]) => ({ outer, inner })))(`${verdict}: $outer over $inner`, ({ outer, inner }) => {
    expect(covers(outer, inner)).toBe(verdict)
  })
}

const closed = (properties: object, required: readonly string[] = []): Schema => ({
  ...{ type: 'object', properties, required, additionalProperties: false },
})

describe('a schema that takes all that another takes', () => {
  each('yes', [
    [{}, { type: 'string' }],
    [true, {}],
    [{ type: 'string' }, false],
    [
      { type: 'string', description: 'new words' },
      { type: 'string', description: 'old words', title: 'x' },
    ],
    [{ type: 'number' }, { type: 'integer' }],
    [{ type: 'number' }, { type: 'integer', minimum: 3 }],
    [{ type: ['string', 'null'] }, { type: 'string' }],
    [{ type: ['string', 'null'], maxLength: 3 }, { type: 'null' }],
    [{ type: ['null', 'string'] }, { type: ['string', 'null'] }],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: ['string', 'null'] }],
    [{ type: ['string', 'null'] }, { anyOf: [{ type: 'string', minLength: 2 }, { type: 'null' }] }],
    [{ enum: ['a', 'b'] }, { enum: ['a'] }],
    [{ enum: ['a', 'b'] }, { const: 'b' }],
    [{ type: 'string', enum: ['a', 'b'] }, { enum: ['b'] }],
    [{ type: 'integer', format: 'int32' }, { enum: [1, 2 ** 31 - 1] }],
    [{ type: 'object' }, { type: 'object', patternProperties: { '^a': {} }, additionalProperties: false }],
    [{ type: 'array' }, { type: 'array', prefixItems: [{ type: 'string' }] }],
    [
      { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'number' } },
      { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'integer' } },
    ],
    [{ type: 'string', maxLength: 2 }, { enum: ['a', 'bb'] }],
    [
      { type: 'integer', minimum: 0, maximum: 9 },
      { type: 'integer', minimum: 1, maximum: 8 },
    ],
    [
      { type: 'integer', minimum: 0 },
      { type: 'integer', exclusiveMinimum: 0 },
    ],
    [
      { type: 'integer', exclusiveMinimum: 0 },
      { type: 'integer', minimum: 1 },
    ],
    [
      { type: 'integer', multipleOf: 2 },
      { type: 'integer', multipleOf: 4 },
    ],
    [
      { type: 'integer', format: 'int64' },
      { type: 'integer', format: 'int32' },
    ],
    [{ type: 'string' }, { type: 'string', format: 'date-time', pattern: '^x' }],
    [
      { type: 'array', items: { type: 'number' } },
      { type: 'array', items: { type: 'integer' }, maxItems: 3 },
    ],
    [{ type: 'array' }, { type: 'array', items: { type: 'string' } }],
    [closed({ a: { type: 'string' }, b: {} }, ['a']), closed({ a: { type: 'string' } }, ['a'])],
    [{ type: 'object' }, closed({ a: { type: 'string' } })],
    [closed({ a: { type: 'string' } }), closed({ a: { type: 'string' } }, ['a'])],
    [{ type: 'object', additionalProperties: { type: 'number' } }, closed({ a: { type: 'integer' } })],
    [{ allOf: [{ type: 'string' }, { maxLength: 9 }] }, { type: 'string', maxLength: 5 }],
    [{ type: 'string' }, { allOf: [{ type: 'string' }, { pattern: 'x' }] }],
  ])
})

describe('a schema that refuses something that another takes', () => {
  each('no', [
    [{ type: 'string' }, {}],
    [false, { type: 'string' }],
    [{ type: 'integer' }, { type: 'number' }],
    [{ type: 'string' }, { type: ['string', 'null'] }],
    [{ type: 'string' }, { type: 'integer' }],
    [{ enum: ['a'] }, { enum: ['a', 'b'] }],
    [{ type: 'string', enum: ['a', 1] }, { enum: [1] }],
    [{ type: 'integer', format: 'int32' }, { enum: [1, 5_000_000_000] }],
    [{ type: 'integer', format: 'int64' }, { const: 2 ** 63 }],
    [{ enum: ['a'] }, { type: 'string' }],
    [{ type: 'string', maxLength: 1 }, { enum: ['a', 'bb'] }],
    [{ type: 'integer', minimum: 1 }, { type: 'integer' }],
    [
      { type: 'integer', exclusiveMinimum: 0 },
      { type: 'integer', minimum: 0 },
    ],
    [
      { type: 'integer', maximum: 5 },
      { type: 'integer', maximum: 6 },
    ],
    [
      { type: 'integer', multipleOf: 4 },
      { type: 'integer', multipleOf: 2 },
    ],
    [
      { type: 'integer', format: 'int32' },
      { type: 'integer', format: 'int64' },
    ],
    [
      { type: 'string', minLength: 2 },
      { type: 'string', minLength: 1 },
    ],
    [{ type: 'string', format: 'uuid' }, { type: 'string' }],
    [
      { type: 'array', items: { type: 'integer' } },
      { type: 'array', items: { type: 'number' } },
    ],
    [{ type: 'array', items: { type: 'integer' } }, { type: 'array' }],
    [{ type: 'array', uniqueItems: true }, { type: 'array' }],
    [
      { type: 'array', maxItems: 2 },
      { type: 'array', maxItems: 3 },
    ],
    [closed({ a: { type: 'string' } }, ['a']), closed({ a: { type: 'string' } })],
    [closed({ a: { type: 'string' } }), closed({ a: { type: 'string' }, b: { type: 'string' } })],
    [closed({ a: { type: 'string' } }), { type: 'object' }],
    [closed({ a: { type: 'string' } }), closed({ a: { type: 'integer' } })],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'integer' }],
  ])
})

describe('schemas that can’t be compared', () => {
  each('unknown', [
    [
      { type: 'string', pattern: '^a' },
      { type: 'string', pattern: '^ab' },
    ],
    [{ type: 'string', pattern: '^a' }, { type: 'string' }],
    [
      { type: 'string', format: 'uri' },
      { type: 'string', format: 'uuid' },
    ],
    [{ type: 'string', format: 'uuid' }, { const: 'not-looked-at' }],
    [{ oneOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'string' }],
    [{ not: { type: 'string' } }, { type: 'integer' }],
    [{ type: 'object', patternProperties: { x: {} } }, { type: 'object' }],
    [{ type: 'array', prefixItems: [{ type: 'string' }] }, { type: 'array' }],
    [
      { type: 'array', items: { type: 'integer' } },
      { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'integer' } },
    ],
    [
      closed({ a: { type: 'string' } }),
      { type: 'object', patternProperties: { '^[a-z]+$': { type: 'string' } }, additionalProperties: false },
    ],
    [
      { type: 'object', additionalProperties: { type: 'integer' } },
      { type: 'object', patternProperties: { '^a': { type: 'string' } }, additionalProperties: { type: 'integer' } },
    ],
  ])
})

describe('many lists of values', () => {
  it('are compared without a compiler for each', () => {
    const begunMs = performance.now()
    for (let index = 0; index < 300; index++) {
      expect(covers({ enum: ['a', 'b', `c${index}`] }, { enum: ['a', 'b'] })).toBe('yes')
      expect(covers({ type: 'string', enum: ['a', 'b', `c${index}`] }, { enum: ['a', 'b'] })).toBe('yes')
    }
    expect(performance.now() - begunMs).toBeLessThan(4_000)
  })
})
