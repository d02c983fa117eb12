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
  ])
})
