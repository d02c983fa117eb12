import { describe, expect, it } from 'vitest'
import type { JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import { compileType } from '../../../src/entity-registry/type-expression.ts'

type Said = readonly [pointer: string, message: string, hint: string | undefined]

function compile(expression: unknown) {
  const problems: Said[] = []
  const notes: Said[] = []
  const { schema } = compileType(expression, '', {
    keySchemaOf: () => undefined,
    entityNames: [],
    report: (pointer, message, hint) => problems.push([pointer, message, hint]),
    note: (pointer, message, hint) => notes.push([pointer, message, hint]),
  })
  return { schema, problems, notes }
}

describe('a type that no validator could be made of', () => {
  it.each<[JsonSchema, string, string]>([
    [{ type: 'integer', minimum: '5' }, '/minimum', 'must be number.'],
    [{ type: 'integer', multipleOf: 0 }, '/multipleOf', 'must be > 0.'],
    [{ type: 'string', minLength: -1 }, '/minLength', 'must be >= 0.'],
    [{ type: 'string', title: 5 }, '/title', 'must be string.'],
    [{ type: 'object', required: 'a' }, '/required', 'must be array.'],
    [{ type: 'array', uniqueItems: 'yes' }, '/uniqueItems', 'must be boolean.'],
    [{ type: [] }, '/type', 'must NOT have fewer than 1 items.'],
    [{ enum: 5 }, '/enum', 'must be array.'],
    [{ enum: [] }, '/enum', 'must NOT have fewer than 1 items.'],
    [{ enum: [2n ** 60n + 1n] }, '/enum', 'has a number that a double can’t hold.'],
    [{ anyOf: [] }, '/anyOf', 'expected a list of schemas.'],
    [{ type: 'array', prefixItems: [] }, '/prefixItems', 'expected a list of schemas.'],
    [{ properties: [{}] }, '/properties', 'expected schemas by name.'],
    [{ properties: { a: { maxItems: 0.5 } } }, '/properties/a/maxItems', 'must be integer.'],
    [{ pattern: '(' }, '/pattern', 'Invalid regular expression: /(/u: Unterminated group.'],
    [{ pattern: '\\-' }, '/pattern', 'Invalid regular expression: /\\-/u: Invalid escape.'],
    [
      { patternProperties: { 'a/[': {} } },
      '/patternProperties/a~1[',
      'Invalid regular expression: /a/[/u: Unterminated character class.',
    ],
  ])('is a problem: %o', (expression, pointer, message) => {
    expect(compile(expression).problems.map((said) => said.slice(0, 2))).toEqual([[pointer, message]])
  })

  it('is told with where to look', () => {
    const [problem] = compile({ minimum: '5' }).problems
    expect(problem?.[2]).toBe('JSON Schema 2020-12 says what "minimum" takes.')
  })
})

describe('a format that is not checked', () => {
  it('is noted with the nearest that is, and no problem', () => {
    const { problems, notes } = compile({ type: 'array', items: { type: 'string', format: 'emial' } })
    expect(problems).toEqual([])
    const message = 'the format "emial" is not one this gateway checks.'
    expect(notes).toEqual([['/items/format', message, 'Did you mean "email"?']])
  })

  it.each(['email', 'int32', 'double', 'date-time', 'byte'])('is not %s', (format) => {
    expect(compile({ format }).notes).toEqual([])
  })
})

describe('a bound that no double holds', () => {
  it.each<[string, bigint, number]>([
    ['maximum', 2n ** 62n, 2 ** 62],
    ['maximum', 2n ** 53n + 1n, 2 ** 53 + 2],
    ['maximum', 2n ** 63n - 1n, 2 ** 63],
    ['exclusiveMaximum', 2n ** 60n + 1n, 2 ** 60 + 256],
    ['minimum', 2n ** 53n + 1n, 2 ** 53],
    ['minimum', 2n ** 60n - 1n, 2 ** 60 - 128],
    ['exclusiveMinimum', 2n ** 60n + 1n, 2 ** 60],
    ['minimum', -(2n ** 53n) - 1n, -(2 ** 53) - 2],
    ['maximum', -(2n ** 60n) - 1n, -(2 ** 60)],
  ])('is the next one outside: %s %d', (keyword, bound, double) => {
    const { schema, problems } = compile({ type: 'integer', [keyword]: bound })
    expect(problems).toEqual([])
    expect(schema[keyword]).toBe(double)
  })
})
