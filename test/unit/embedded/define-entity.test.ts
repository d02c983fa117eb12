import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { defineEntity } from '../../../src/runtime-adapters/embedded/define-entity.ts'

const id = Type.String()
const definition = {
  name: 'Thing',
  key: 'id',
  state: Type.Object({ id }),
  create: { params: { id }, init: () => ({ id: 'a' }) },
  methods: () => ({}),
}

/** As JavaScript would: nothing has checked the types. */
const define = defineEntity as unknown as (spec: unknown) => unknown
type MakeMethod = (...parts: unknown[]) => unknown
const methods = (make: (method: MakeMethod) => unknown) => ({
  methods: (method: MakeMethod) => ({ act: make(method) }),
})

describe('a definition', () => {
  it('is taken where nothing is wrong with it', () => {
    expect(() => define(definition)).not.toThrow()
  })

  it.each<[string, object, string]>([
    ['no name', { name: undefined }, '`name` must be a string'],
    ['no state', { state: undefined }, 'The entity "Thing": `state` must be a `Type.Object({…})`.'],
    ['a state of plain types', { state: { id } }, 'The entity "Thing": `state` must be'],
    [
      'an attribute without a type',
      { state: Type.Object({ id, size: JSON.parse('5') }) },
      '`state`: size must be a type',
    ],
    [
      'a key that is no attribute',
      { key: 'nme' },
      'The entity "Thing": `key` must name an attribute of `state`, and "nme"',
    ],
    ['a key that every object has', { key: 'constructor' }, 'and "constructor" is none.'],
    ['no way to create it', { create: undefined }, 'The entity "Thing": `create` must be an object'],
    ['no parameters', { create: { init: () => ({}) } }, 'The entity "Thing": `create.params` must be types by name'],
    ['no `init`', { create: { params: {} } }, 'The entity "Thing": `create.init` must be a function.'],
    ['no methods', { methods: undefined }, 'The entity "Thing": `methods` must be a function'],
    ['methods that come later', { methods: async () => ({}) }, 'The entity "Thing": `methods` must return an object.'],
    ['a method not made by `method`', methods(() => () => 1), 'The entity "Thing": the method act must be made by'],
    ['a method without a function', methods((method) => method({})), 'the method act has no function'],
    ['a method without a specification', methods((method) => method(() => 1)), 'the method act has no specification'],
    [
      'parameters that are one type',
      methods((method) => method({ params: Type.Object({ id }) }, () => 1)),
      '`params` of act',
    ],
    [
      'a parameter without a type',
      methods((method) => method({ params: { id: 'string' } }, () => 1)),
      '`params` of act: id must',
    ],
    [
      'a result without a type',
      methods((method) => method({ returns: 'string' }, () => 1)),
      '`returns` of act must be a type',
    ],
  ])('is refused, with the names of entity and member: %s', (_what, change, message) => {
    expect(() => define({ ...definition, ...change })).toThrow(
      expect.objectContaining({ name: 'DefinitionsError', message: expect.stringContaining(message) }),
    )
  })
})
