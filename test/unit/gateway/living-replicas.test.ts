import { describe, expect, it } from 'vitest'
import { createLivingReplicas } from '../../../src/gateway/invocations/living-replicas.ts'

describe('replicas that are missing', () => {
  it('are dead, unless the store was away just now: then they have as long as any silence may be', () => {
    let now = 0
    const living = createLivingReplicas(3_000, () => now)
    expect(living.seen(['a', 'b'])).toEqual(new Set(['a', 'b']))
    living.distrust()
    now = 2_999
    expect(living.seen(['a', 'c'])).toEqual(new Set(['a', 'b', 'c']))
    now = 3_000
    expect(living.seen(['a', 'c'])).toEqual(new Set(['a', 'c']))
    expect(living.seen(['a'])).toEqual(new Set(['a']))
  })
})
