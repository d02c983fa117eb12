import { describe, expect, it } from 'vitest'
import { contenderGroups, groupsOf } from '../../../bench/contender-kinds.ts'

function namesOf(...wanted: readonly string[]): readonly (readonly string[])[] {
  return groupsOf(({ name }) => wanted.includes(name)).map((group) => group.map(({ name }) => name))
}

describe('the groups of a benchmark', () => {
  it('are all there where everything is wanted', () => {
    expect(groupsOf(() => true)).toEqual(contenderGroups)
  })

  it('measure a program that is wanted alone once', () => {
    expect(namesOf('gateway-platformatic')).toEqual([['gateway-platformatic']])
  })

  it('keep a program in each group in which something is left to compare it with', () => {
    expect(namesOf('echo', 'gateway-statefun', 'nest')).toEqual([
      ['echo', 'gateway-statefun'],
      ['gateway-statefun', 'nest'],
    ])
  })
})
