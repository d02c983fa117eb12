import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { defineEntity } from '../../../src/runtime-adapters/embedded/define-entity.ts'
import { Draft } from '../../../src/runtime-adapters/embedded/draft.ts'
import { compileModel } from '../../../src/runtime-adapters/embedded/entity-model.ts'
import { Probe } from './lab.ts'

const model = compileModel(Probe)
const base = Object.freeze({ id: 'a', count: 0, big: 0, ratio: 0, notes: Object.freeze(['one']), any: { deep: [1] } })

describe('what a method sees of a state', () => {
  it('is not the state itself, whichever way it is reached', () => {
    const { self } = new Draft(model, 'a', base)
    expect(self.notes).not.toBe(base.notes)
    expect(Object.getOwnPropertyDescriptor(self, 'any')?.value).not.toBe(base.any)
    expect(Object.values(self)).not.toContain(base.notes)
    expect({ ...self }).toEqual({ ...base, big: 0n })
  })

  it('is one thing for as long as the call lasts', () => {
    const { self } = new Draft(model, 'a', base)
    expect(self.notes).toBe(self.notes)
  })

  it('has changed only if a value has', () => {
    const draft = new Draft(model, 'a', base)
    draft.self.count = 5
    draft.self.count = 0
    expect(draft.self.notes).toHaveLength(1)
    draft.self.big = 0n
    expect(draft.changed()).toBeUndefined()
    draft.self.any = { deep: [2] }
    expect(draft.changed()).toEqual({ ...base, any: { deep: [2] } })
  })

  it.each<[string, (self: Record<string, unknown>) => unknown]>([
    ['an unknown attribute', (self) => Object.assign(self, { colour: 'red' })],
    ['the key', (self) => Object.assign(self, { id: 'b' })],
    ['a symbol', (self) => Reflect.set(self, Symbol.iterator, 1)],
    ['the key’s absence', (self) => Reflect.deleteProperty(self, 'id')],
    ['a getter', (self) => Object.defineProperty(self, 'count', { get: () => 1 })],
    ['a prototype', (self) => Object.setPrototypeOf(self, { count: 1 })],
    ['a frozen state', (self) => Object.freeze(self)],
  ])('takes no %s', (_what, write) => {
    const draft = new Draft(model, 'a', base)
    expect(() => write(draft.self)).toThrow()
    expect(draft.changed()).toBeUndefined()
  })

  it('has no optional attribute that is not there, whatever every object inherits', () => {
    const { create, methods, state, ...rest } = Probe
    const named = defineEntity({
      ...rest,
      key: 'id',
      state: Type.Object({ ...state.properties, constructor: Type.Optional(Type.String()) }) as typeof state,
      create: { params: create.params, init: () => ({}) },
      methods: () => ({}),
    })
    const draft = new Draft(compileModel(named), 'a', base)
    expect(draft.self.constructor).toBeUndefined()
    expect(draft.copyOf('constructor')).toBeUndefined()
    Reflect.deleteProperty(draft.self, 'constructor')
    expect(draft.changed()).toBeUndefined()
    Object.assign(draft.self, { constructor: 'x' })
    expect(draft.self.constructor).toBe('x')
    expect(draft.changed()).toEqual({ ...base, constructor: 'x' })
  })

  it('can’t lose an attribute that must be there', () => {
    const draft = new Draft(model, 'a', base)
    Reflect.deleteProperty(draft.self, 'count')
    expect(() => draft.changed()).toThrow('Probe.count is undefined')
  })
})
