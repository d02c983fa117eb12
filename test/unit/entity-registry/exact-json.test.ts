import { describe, expect, it } from 'vitest'
import { isDeeperThan, parseExact, stringifyExact } from '../../../src/entity-registry/exact-json.ts'

describe('exact JSON', () => {
  it('keeps every digit of integers past 2^53, both ways', () => {
    const text = '{"a":9007199254740993,"b":[-9223372036854775808,9223372036854775807],"c":9007199254740991}'
    const value = parseExact(text)
    expect(value).toEqual({ a: 9007199254740993n, b: [-(2n ** 63n), 2n ** 63n - 1n], c: 9007199254740991 })
    expect(stringifyExact(value)).toBe(text)
  })

  it('reads fractions and exponents as doubles, however many digits they have', () => {
    expect(parseExact('[0.12345678901234566, 1e18, 1.5e300]')).toEqual([0.12345678901234566, 1e18, 1.5e300])
  })

  it('refuses a number that no double comes near to', () => {
    expect(() => parseExact('{"a":1e400}')).toThrow(/1e400 is too large/)
  })

  it('does not take digits in a string for a number', () => {
    expect(parseExact('{"id":"90071992547409931234"}')).toEqual({ id: '90071992547409931234' })
  })

  it('writes what JSON writes when there is no bigint, and null for nothing', () => {
    const value = { a: [1, 'x', null, true, { b: 1.5 }] }
    expect(stringifyExact(value)).toBe(JSON.stringify(value))
    expect(stringifyExact(undefined)).toBe('null')
  })

  it('passes on errors that have nothing to do with bigint', () => {
    const cycle: { self?: object } = {}
    cycle.self = cycle
    expect(() => stringifyExact(cycle)).toThrow(/circular/i)
  })

  it('counts nesting without walking deeper than asked', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
    expect(isDeeperThan(nested(64), 64)).toBe(false)
    expect(isDeeperThan(nested(65), 64)).toBe(true)
    expect(isDeeperThan(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)), 64)).toBe(true)
  })
})
