import { describe, expect, it } from 'vitest'
import { createRequestValidator, createValidator } from '../../../src/routes/validator.ts'

describe('a validator', () => {
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
