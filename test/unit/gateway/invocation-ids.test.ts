import { describe, expect, it } from 'vitest'
import { createInvocationIds } from '../../../src/gateway/invocation-ids.ts'

const replica = 'abcdef'

describe('invocation ids', () => {
  it('are random UUIDs of version 4 that end with the replica, and never the same', () => {
    const ids = createInvocationIds(replica)
    const made = Array.from({ length: 5_000 }, () => ids.next())
    for (const id of made)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{6}abcdef$/)
    expect(new Set(made).size).toBe(made.length)
  })

  it('have every digit at every random place', () => {
    const ids = createInvocationIds(replica)
    const seen = Array.from({ length: 36 }, () => new Set<string>())
    for (let round = 0; round < 2_000; round++)
      for (const [at, digit] of [...ids.next()].entries()) seen[at]?.add(digit)
    const fixed = [8, 13, 14, 18, 19, 23, 30, 31, 32, 33, 34, 35]
    for (const [at, digits] of seen.entries()) if (!fixed.includes(at)) expect(digits.size, `place ${at}`).toBe(16)
    expect(seen[19]?.size).toBe(4)
  })

  it('are chosen among those that suit', () => {
    const ids = createInvocationIds(replica)
    ids.restrict((id) => id.startsWith('0'))
    for (let round = 0; round < 50; round++) expect(ids.next()).toMatch(/^0/)
  })
})
