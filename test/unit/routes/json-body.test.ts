import secureJson from 'secure-json-parse'
import { describe, expect, it } from 'vitest'
import { isDeeperThan, parseExact } from '../../../src/entity-registry/exact-json.ts'
import { parseBody } from '../../../src/routes/json-body.ts'

/** Numbers from a seed, so that a failure comes again. */
function createDice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

const names = [
  'a',
  'item',
  '__proto__',
  '\\u005f_proto__',
  'constructor',
  'c\\u006fnstructor',
  'prototype',
  'ä',
  '\\ud800',
]
const scalars = [
  ...['0', '-1', '42', '1.5', '9007199254740991', '9007199254740993', '-9223372036854775808', '9223372036854775808'],
  ...[
    '1e3',
    '1e18',
    '9007199254740993.0',
    '900719925474099.3e1',
    '18446744073709551616.0',
    '1e300',
    '1e400',
    'true',
    'null',
    '"text"',
    '"\\ud83d\\ude00"',
    '"\\udc00"',
    '"9007199254740993"',
    '"__proto__"',
  ],
]

/** JSON text, now and then broken. */
function textFrom(roll: (sides: number) => number, depth: number): string {
  const kind = depth === 0 ? 0 : roll(4)
  const pick = <T>(of: readonly T[]): T => of[roll(of.length)] as T
  if (kind === 0) return pick(scalars)
  if (kind === 1) return `[${Array.from({ length: roll(3) }, () => textFrom(roll, depth - 1)).join(',')}]`
  if (kind === 2 && roll(8) === 0) return '['.repeat(60 + roll(8)) + ']'.repeat(60 + roll(8))
  const members = Array.from({ length: roll(4) }, () => `"${pick(names)}": ${textFrom(roll, depth - 1)}`)
  return `{${members.join(',')}}`
}

/** What bodies must be, said without a short cut: everything is looked at. */
function carefully(text: string): unknown {
  const value = parseExact(text, 'any')
  if (typeof value === 'object' && value !== null) secureJson.scan(value)
  if (isDeeperThan(value, 64)) throw new Error('too deep')
  const look = (one: unknown): void => {
    if (typeof one === 'bigint' && BigInt.asIntN(64, one) !== one) throw new Error('beyond 64 bits')
    if (typeof one === 'string' && !one.isWellFormed()) throw new Error('unpaired')
    if (typeof one === 'object' && one !== null) for (const each of Object.entries(one).flat()) look(each)
  }
  look(value)
  return value
}

function attempt(parse: () => unknown): { readonly value?: unknown; readonly isRefused: boolean } {
  try {
    return { value: parse(), isRefused: false }
  } catch {
    return { isRefused: true }
  }
}

describe('a JSON body', () => {
  it('is read and refused by the short ways just as by the long one', () => {
    const roll = createDice(20_261_128)
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const text = textFrom(roll, 4)
      const short = attempt(() => parseBody(Buffer.from(text)))
      expect(short, text).toEqual(attempt(() => carefully(text)))
      if (short.isRefused) refused++
    }
    // The dice must come to both.
    expect(refused).toBeGreaterThan(1_000)
    expect(refused).toBeLessThan(19_000)
  })

  it('is the same whether its integers have points, exponents or neither', () => {
    const spellings = ['9007199254740993', '9007199254740993.0', '9007199254740993e0', '900719925474099.3e1']
    for (const text of spellings) expect(parseBody(Buffer.from(`{"x":${text}}`))).toEqual({ x: 9007199254740993n })
  })

  it.each([65, 1_000, 10_000, 100_000])('is refused as too deep at %d levels, whatever is in it', (levels) => {
    for (const inner of ['1', '12345678901234567', '1e18', '"\\ud800"']) {
      const text = '['.repeat(levels) + inner + ']'.repeat(levels)
      expect(() => parseBody(Buffer.from(text)), inner).toThrow('The body is nested more than 64 levels deep.')
    }
  })

  it.each(['{"\\u005f_proto__":1}', '{"a":[{"constructor":{"prototype":1}}]}'])('refuses %s', (text) => {
    expect(() => parseBody(Buffer.from(text))).toThrow(/__proto__/)
  })
})
