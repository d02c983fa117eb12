import { describe, expect, it } from 'vitest'
import { createMemoryRateStore } from '../../../src/gateway/limits/memory-rate-store.ts'
import type { Quota } from '../../../src/gateway/limits/quota.ts'
import type { RateStore } from '../../../src/gateway/limits/rate-store.ts'
import { createSteadyRateStore } from '../../../src/gateway/limits/steady-rate-store.ts'

const quota: Quota = { policy: 'caller', calls: 5, windowSeconds: 60 }

function build() {
  const closed: string[] = []
  let localCounts = 0
  const storeOf = (name: string): RateStore => ({
    ...createMemoryRateStore({ maxBuckets: 10 }),
    close: () => void closed.push(name),
  })
  const store = createSteadyRateStore({
    shared: { ...storeOf('shared'), count: () => Promise.reject(new Error('a bug')) },
    local: storeOf('local'),
    onLocal: () => {
      localCounts++
    },
  })
  return { store, closed, localCounts: () => localCounts }
}

describe('a quota that is shared', () => {
  it('is not given out by a replica alone for what is a bug, and no outage', async () => {
    const { store, localCounts } = build()
    await expect(store.count('a', quota)).rejects.toThrow('a bug')
    expect([localCounts(), store.health().ok]).toEqual([0, true])
  })

  it('holds nothing open once it is closed', () => {
    const { store, closed } = build()
    store.close()
    expect(closed.sort()).toEqual(['local', 'shared'])
  })
})
