import { describe, expect, it } from 'vitest'
import { nobody } from '../../../src/gateway/access/caller.ts'
import { createVerifiedTokens } from '../../../src/gateway/access/verified-tokens.ts'

describe('verified tokens', () => {
  it('are no more than allowed, and the one that was used longest ago goes first', () => {
    const tokens = createVerifiedTokens(3)
    for (const token of ['a', 'b', 'c']) tokens.set(token, nobody, 1_000)
    expect(tokens.get('a', 0)).toBe(nobody)
    tokens.set('d', nobody, 1_000)
    expect(['a', 'b', 'c', 'd'].filter((token) => tokens.get(token, 0) !== undefined)).toEqual(['a', 'c', 'd'])
    for (let number = 0; number < 100; number++) tokens.set(`${number}`, nobody, 1_000)
    expect(tokens.size).toBe(3)
  })

  it('are remembered until their time, and no longer', () => {
    const tokens = createVerifiedTokens(3)
    tokens.set('a', nobody, 1_000)
    expect([tokens.get('a', 999), tokens.get('a', 1_000), tokens.size]).toEqual([nobody, undefined, 0])
  })
})
