import { describe, expect, it } from 'vitest'
import { isDeeperThan, isSafeJson, parseExact, stringifyExact } from '../../../src/entity-registry/exact-json.ts'

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

  it.each([
    ['9007199254740993.0', 9007199254740993n],
    ['9007199254740993e0', 9007199254740993n],
    ['-900719925474099.3E+1', -9007199254740993n],
    ['0.000009007199254740993e21', 9007199254740993n],
    ['90071992547409930000e-4', 9007199254740993n],
    ['1e18', 10n ** 18n],
    ['9223372036854775807.0', 2n ** 63n - 1n],
    ['9007199254740991.0', 9007199254740991],
    ['9007199254740993.5', 9007199254740994],
    ['9007199254740992.25', 9007199254740992],
    ['9.223372036854776e18', 2 ** 63],
    ['18446744073709551616.0', 2 ** 64],
    ['1e300', 1e300],
  ])('of any spelling reads %s as an integer where it is one of 64 bits', (text, value) => {
    expect(parseExact(`[${text}]`, 'any')).toEqual([value])
    expect(parseExact(text, 'any')).toEqual(value)
  })

  it('of any spelling finds every integer, wherever the point stands', () => {
    for (const integer of [2n ** 53n, 9007199254740993n, 10n ** 17n, 1234567890123456789n, 2n ** 63n - 1n]) {
      const digits = String(integer)
      for (let point = -25; point <= digits.length + 25; point++) {
        const padded = digits.padStart(digits.length - point + 1, '0').padEnd(point, '0')
        const at = Math.max(point, 1)
        const mantissa = `${padded.slice(0, at)}.${padded.slice(at)}0`
        const exponent = digits.length - point
        for (const mark of ['e', 'E', ...(exponent >= 0 ? ['e+', 'e0', 'E+00'] : [])]) {
          const text = `{"a":-${mantissa}${mark}${exponent}}`
          expect(isSafeJson(text, 'any'), text).toBe(false)
          expect(parseExact(text, 'any'), text).toEqual({ a: -integer })
        }
      }
    }
  })

  it('of any spelling reads a million zeros in no time', () => {
    const zeros = '0'.repeat(1_000_000)
    expect(parseExact(`[0.${zeros}1e1000019, 1000000000000000000${zeros}e-1000000]`, 'any')).toEqual([
      10n ** 18n,
      10n ** 18n,
    ])
  })

  it('refuses a number that no double comes near to', () => {
    for (const spelling of ['digits', 'any'] as const) {
      expect(() => parseExact('{"a":1e400}', spelling)).toThrow(/1e400 is too large/)
    }
    expect(() => parseExact(`[${'9'.repeat(400)}]`, 'any')).toThrow(/9{40} is too large/)
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
