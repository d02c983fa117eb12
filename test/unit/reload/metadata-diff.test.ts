import { describe, expect, it } from 'vitest'
import { showChange } from '../../../src/entity-registry/diff/entity-change.ts'
import { diffEntities } from '../../../src/entity-registry/diff/metadata-diff.ts'
import type { MetadataEntity } from '../../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../../src/entity-registry/overrides.ts'
import { amountOf, buy, buying, compile, user } from './shop-metadata.ts'

type Overrides = Readonly<Record<string, Override>>
interface Case {
  readonly now: readonly MetadataEntity[]
  readonly before?: readonly MetadataEntity[]
  readonly overrides?: Overrides
  readonly earlier?: Overrides
  /** The changes, those that break callers marked by `!`. */
  readonly says: readonly string[]
}

const [name, leave] = [user.key, user.methods[1]]
const without = (member: keyof MetadataEntity): MetadataEntity => {
  const { [member]: _, ...rest } = user
  return rest as MetadataEntity
}

const cases: Readonly<Record<string, Case>> = {
  'nothing, where nothing has changed': { now: [user], says: [] },
  'nothing, where only words have': {
    now: [{ ...buying({ description: 'Other words.' }), description: 'A.' }],
    says: [],
  },
  'a new entity': { now: [user, { ...user, name: 'Item' }], says: ['Item: is new'] },
  'an entity that is gone': { now: [{ ...user, name: 'Client' }], says: ['! User: is gone', 'Client: is new'] },
  'an entity that is hidden': { now: [user], overrides: { User: { expose: false } }, says: ['! User: is gone'] },
  'another path': {
    now: [user],
    overrides: { User: { path: 'users' } },
    says: ['! User: is at /users, no longer at /user'],
  },
  'another type of key': {
    now: [{ ...user, key: { ...name, schema: { type: 'integer' } }, create: { params: [] } }],
    before: [{ ...user, create: { params: [] } }],
    says: ['! User.key: is an integer now'],
  },
  'a narrower key': {
    now: [{ ...user, key: { ...name, schema: { type: 'string', maxLength: 10 } } }],
    says: ['! User.key: its type takes less than before', '! User.create: its argument "name" takes less than before'],
  },
  'a key by another name': {
    now: [{ ...user, key: { ...name, name: 'id' }, create: { params: [] } }],
    before: [{ ...user, create: { params: [] } }],
    says: ['! User.key: is called "id", no longer "name"'],
  },
  'a constructor that is gone': { now: [without('create')], says: ['! User.create: is gone'] },
  'a new constructor': { now: [user], before: [without('create')], says: ['User.create: is new'] },
  'a constructor that makes up the key': {
    now: [{ ...user, key: { ...name, generated: true } }],
    says: ['! User.create: makes up the key now', 'User.create: its argument "name" takes more than before'],
  },
  'a new method': {
    now: [{ ...user, methods: [...user.methods, { name: 'enter', params: [] }] }],
    says: ['User.enter: is new'],
  },
  'a method that is gone': { now: [{ ...user, methods: [buy] }], says: ['! User.leave: is gone'] },
  'a method that is hidden': {
    now: [user],
    overrides: { 'User.leave': { expose: false } },
    says: ['! User.leave: is hidden by the operator'],
  },
  'another verb and path': {
    now: [user],
    overrides: { 'User.buy': { verb: 'PUT', path: '/purchases/{key}' } },
    says: [
      '! User.buy: is called by PUT, no longer by POST',
      '! User.buy: is at /purchases/{key}, no longer at …/{key}/buy',
    ],
  },
  'a method that is not safe any more': {
    now: [user],
    earlier: { 'User.leave': { safe: true } },
    says: ['! User.leave: may not be served by GET any more'],
  },
  'a method that became safe': { now: [user], overrides: { 'User.leave': { safe: true } }, says: [] },
  'a new argument that must be there': {
    now: [buying({ params: [...buy.params, { name: 'when', schema: {} }] })],
    says: ['! User.buy: takes a new argument "when", and needs it'],
  },
  'a new argument that may be left out': {
    now: [buying({ params: [...buy.params, { name: 'when', schema: {}, required: false }] })],
    says: ['User.buy: takes a new argument "when", which may be left out'],
  },
  'an argument that is gone': {
    now: [buying({ params: buy.params.slice(0, 1) })],
    says: ['! User.buy: takes no argument "note" any more'],
  },
  'an argument that can’t be left out any more': {
    now: [buying({ params: buy.params.map((param) => ({ ...param, required: true })) })],
    says: ['! User.buy: its argument "note" can’t be left out any more'],
  },
  'a wider argument': {
    now: [amountOf({ type: 'integer' })],
    says: ['User.buy: its argument "amount" takes more than before'],
  },
  'a narrower argument': {
    now: [amountOf({ type: 'integer', minimum: 2 })],
    says: ['! User.buy: its argument "amount" takes less than before'],
  },
  'an argument of another type': {
    now: [amountOf({ type: 'string' })],
    says: ['! User.buy: its argument "amount" takes less than before'],
  },
  'an argument that can’t be compared': {
    now: [amountOf({ type: 'integer', not: { const: 13 } })],
    says: ['! User.buy: its argument "amount" has changed in a way that can’t be compared'],
  },
  'a narrower answer': {
    now: [buying({ returns: { type: 'integer' } })],
    says: ['User.buy: what it returns is narrower than before'],
  },
  'a wider answer': {
    now: [buying({ returns: { type: ['integer', 'null', 'string'] } })],
    says: ['! User.buy: what it returns may be what it was not before'],
  },
  'an answer that is none any more': {
    now: [buying({ returns: { type: 'null' } })],
    says: ['! User.buy: what it returns is nothing now'],
  },
  'an error with another status': {
    now: [buying({ errors: { OutOfStock: { status: 422 } } })],
    says: ['! User.buy: its error OutOfStock is 422, no longer 409'],
  },
  'an error that is not declared any more': {
    now: [buying({ errors: {} })],
    says: ['! User.buy: its error OutOfStock is not declared any more'],
  },
  'a new error': {
    now: [buying({ errors: { ...buy.errors, Broke: {} } })],
    says: ['User.buy: has a new error Broke'],
  },
  'an attribute that is gone': {
    now: [{ ...user, state: { name: { type: 'string' } } }],
    says: ['! User.balance: is gone'],
  },
  'an attribute of another type': {
    now: [{ ...user, state: { ...user.state, balance: { type: 'number' } } }],
    says: ['! User.balance: its type may be what it was not before'],
  },
  'a narrower attribute': {
    now: [{ ...user, state: { ...user.state, balance: { type: 'integer', minimum: 0 } } }],
    says: ['User.balance: its type is narrower than before'],
  },
  'a narrower attribute that callers write': {
    now: [{ ...user, state: { ...user.state, balance: { type: 'integer', minimum: 0 } } }],
    overrides: { 'User.balance': { writable: true } },
    earlier: { 'User.balance': { writable: true } },
    says: ['User.balance: its type is narrower than before', '! User.balance: its type takes less than before'],
  },
  'an attribute that can’t be written any more': {
    now: [user],
    earlier: { 'User.balance': { writable: true } },
    says: ['! User.balance: can’t be written any more'],
  },
  'a scope that is asked for': {
    now: [user],
    overrides: { 'User.buy': { scopes: ['shop:buy'] } },
    says: ['! User.buy: who may call it is restricted further: scope shop:buy'],
  },
  'a scope that is not asked for any more': {
    now: [user],
    earlier: { 'User.buy': { scopes: ['shop:buy', 'shop:see'] } },
    overrides: { 'User.buy': { scopes: ['shop:see'] } },
    says: ['User.buy: who may call it is restricted less'],
  },
  'an owner that is asked for': {
    now: [user],
    earlier: { 'User.buy': { public: true } },
    overrides: { 'User.buy': { owner: true } },
    says: ['! User.buy: who may call it is restricted further: key = the caller’s name'],
  },
  'what was public and is not any more': {
    now: [user],
    earlier: { 'User.buy': { public: true } },
    says: ['! User.buy: who may call it is restricted further: no longer everybody'],
  },
  'a late call that is answered otherwise': {
    now: [user],
    overrides: { 'User.buy': { acceptLate: true } },
    says: ['! User.buy: a late call is answered by 202 now'],
  },
}

describe('the difference of two sets of entities names', () => {
  it('has a method to compare', () => expect(leave?.name).toBe('leave'))

  it.each(Object.entries(cases))('%s', (_what, { now, before = [user], overrides = {}, earlier = {}, says }) => {
    const changes = diffEntities(compile(before, earlier), compile(now, overrides))
    expect(changes.map((change) => `${change.breaks ? '! ' : ''}${showChange(change)}`)).toEqual(says)
  })
})
