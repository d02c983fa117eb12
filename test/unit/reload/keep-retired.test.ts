import { describe, expect, it } from 'vitest'
import { keepRetired } from '../../../src/entity-registry/diff/keep-retired.ts'
import type { MetadataEntity } from '../../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../../src/entity-registry/overrides.ts'
import { buy, compile, user } from './shop-metadata.ts'

const keeping = { nowMs: 1_000, sunsetMs: 60_000, hidden: new Set<string>() }
const method = (name: string) => ({ name, params: [] })

function kept(
  before: readonly MetadataEntity[],
  now: readonly MetadataEntity[],
  overrides: Readonly<Record<string, Override>>,
): readonly string[] {
  return keepRetired(compile(before), compile(now, overrides), keeping).flatMap((entity) => [
    ...(entity.retirement === undefined ? [] : [entity.name]),
    ...[...entity.methods.values(), ...entity.attributes.values()]
      .filter(({ retirement }) => retirement !== undefined)
      .map(({ name }) => `${entity.name}.${name}`),
  ])
}

const other = (...names: readonly string[]): MetadataEntity => ({ ...user, methods: names.map(method) })

describe('what is gone', () => {
  it('is kept where nothing new stands in its place', () => {
    expect(kept([user], [{ ...user, methods: [buy] }], {})).toEqual(['User.leave'])
    expect(kept([user, { ...user, name: 'Item' }], [user], {})).toEqual(['Item'])
  })

  it('leaves its path to a method that takes it over', () => {
    const overrides = { 'User.purchase': { path: '/user/{key}/leave' } }
    expect(kept([other('leave', 'stay')], [other('purchase')], overrides)).toEqual(['User.stay'])
  })

  it('is kept where only the path is the same, and the verb is not', () => {
    const overrides: Readonly<Record<string, Override>> = { 'User.purchase': { verb: 'PUT', path: 'user/{key}/leave' } }
    expect(kept([other('leave')], [other('purchase')], overrides)).toEqual(['User.leave'])
  })

  it('leaves its path to a method of another entity', () => {
    const item: MetadataEntity = { ...user, name: 'Item', methods: [method('purchase')] }
    const overrides = { 'Item.purchase': { path: '/user/{key}/leave' } }
    expect(kept([user], [{ ...user, methods: [buy] }, item], overrides)).toEqual([])
    expect(kept([user], [item], overrides)).toEqual([])
  })

  it('leaves an attribute’s path to a method that is called by GET', () => {
    const { name } = user.state ?? {}
    const now: MetadataEntity = { ...user, state: { name: name ?? {} }, methods: [...user.methods, method('look')] }
    const get: Override = { verb: 'GET', safe: true, path: '/user/{key}/balance' }
    expect(kept([user], [now], { 'User.look': get })).toEqual([])
    expect(kept([user], [now], { 'User.look': { path: '/user/{key}/balance' } })).toEqual(['User.balance'])
  })
})
