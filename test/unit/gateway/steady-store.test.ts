import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import { createSteadyStore } from '../../../src/gateway/invocations/steady-store.ts'
import { StoreUnavailable } from '../../../src/routes/invocation-store.ts'
import { storedAnswer } from '../../helpers/invocation-records.ts'

describe('the steady store', () => {
  it('lets answers wait for a store that is away until they have 64 MiB', async () => {
    let isAway = true
    const store = createSteadyStore({
      ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }),
      finish: async () => {
        if (isAway) throw new StoreUnavailable('away')
        return true
      },
    })
    const half = storedAnswer('x'.repeat(2 ** 24))
    const waiting = [store.finish('a', half), store.finish('b', half)]
    await expect(store.finish('c', half)).rejects.toThrow(StoreUnavailable)
    isAway = false
    await store.close()
    expect(await Promise.all(waiting)).toEqual([true, true])
  })
})
