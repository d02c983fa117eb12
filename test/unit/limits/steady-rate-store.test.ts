import { expect, it } from 'vitest'
import { createMemoryRateStore } from '../../../src/gateway/limits/memory-rate-store.ts'
import type { Quota } from '../../../src/gateway/limits/quota.ts'
import { createSteadyRateStore } from '../../../src/gateway/limits/steady-rate-store.ts'

const quota: Quota = { policy: 'caller', calls: 5, windowSeconds: 60 }

it('a quota is not given out by a replica alone for what is a bug, and no outage', async () => {
  let localCounts = 0
  const store = createSteadyRateStore({
    shared: { ...createMemoryRateStore({ maxBuckets: 10 }), count: () => Promise.reject(new Error('a bug')) },
    local: createMemoryRateStore({ maxBuckets: 10 }),
    onLocal: () => {
      localCounts++
    },
  })
  await expect(store.count('a', quota)).rejects.toThrow('a bug')
  expect([localCounts, store.health().ok]).toEqual([0, true])
  store.close()
})
