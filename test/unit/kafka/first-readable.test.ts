import { describe, expect, it } from 'vitest'
import { firstReadable } from '../../../src/runtime-adapters/kafka/first-readable.ts'

describe('the first offset that can be read', () => {
  it.each([1, 2, 3, 4, 5, 100, 1_000, 10_000])(
    'is the one after an unreadable batch of %d, found soon',
    async (count) => {
      const end = 7n + BigInt(count)
      let looks = 0
      const found = await firstReadable(7n, async (offset) => {
        looks++
        return offset >= end
      })
      expect(found).toBe(end)
      expect(looks).toBeLessThanOrEqual(2 * Math.log2(count + 1) + 3)
    },
  )
})
