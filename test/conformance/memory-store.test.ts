import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { StoreUnavailable } from '../../src/routes/invocation-store.ts'
import { runningRecord } from '../helpers/invocation-records.ts'
import { describeInvocationStore } from './invocation-store.ts'

describeInvocationStore('the store in memory', async (retentionMs) => {
  const store = createMemoryStore({ retentionMs, maxRecords: 1_000 })
  await store.start()
  return { replicas: [store, store, store], close: () => store.close() }
})

describe('the store in memory', () => {
  it('refuses further records when it is full of running ones', async () => {
    const store = createMemoryStore({ retentionMs: 60_000, maxRecords: 2 })
    await store.open(runningRecord(), undefined)
    await store.open(runningRecord(), undefined)
    await expect(store.open(runningRecord(), undefined)).rejects.toThrow(StoreUnavailable)
    await store.close()
  })
})
