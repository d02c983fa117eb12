import { describe, expect, it } from 'vitest'
import { blame } from '../../../bench/pauses.ts'

const call = { startMs: 1_000, endMs: 1_300 }

describe('a slow call', () => {
  it('is blamed on whoever paused for at least half of it', () => {
    const pauses = { contender: [{ startMs: 1_100, endMs: 1_110 }], broker: [{ startMs: 900, endMs: 1_200 }] }
    expect(blame(call, pauses)).toEqual({ who: 'broker', ms: 200 })
  })

  it('is nobody’s fault when pauses lie beside it, or are short', () => {
    expect(
      blame(call, { broker: [{ startMs: 0, endMs: 990 }], load: [{ startMs: 1_000, endMs: 1_140 }] }),
    ).toBeUndefined()
  })

  it('does not count twice what lies over each other', () => {
    const pauses = [
      { startMs: 1_050, endMs: 1_150 },
      { startMs: 1_000, endMs: 1_140 },
      { startMs: 1_010, endMs: 1_145 },
    ]
    expect(blame(call, { broker: pauses })).toEqual({ who: 'broker', ms: 150 })
  })
})
