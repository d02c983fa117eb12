import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import { createSteadyStore } from '../../../src/gateway/invocations/steady-store.ts'
import { StoreUnavailable } from '../../../src/routes/invocation-store.ts'
import { runningRecord, storedAnswer } from '../../helpers/invocation-records.ts'

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

  it('says that a call was accepted, or not sent, once the store is back', async () => {
    const told: string[] = []
    let isAway = true
    const tell = (what: string) => async (): Promise<void> => {
      if (isAway) throw new StoreUnavailable('away')
      told.push(what)
    }
    const store = createSteadyStore({
      ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }),
      accept: tell('accepted'),
      release: tell('released'),
    })
    const writes = Promise.all([store.accept('a'), store.release('b', 'scope', storedAnswer('1', 503))])
    // So that they have failed once.
    await setTimeout(1)
    isAway = false
    await store.close()
    await writes
    expect(told).toEqual(['accepted', 'released'])
  })

  it('writes the answer of a call whose record the store may have taken, though it said no', async () => {
    const written: string[] = []
    let refuse = (_error: Error): void => undefined
    const store = createSteadyStore({
      ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }),
      open: () => new Promise((_resolve, reject) => (refuse = reject)),
      finish: async (id) => written.push(id) > 0,
    })
    const record = runningRecord()
    const opened = store.open(record, undefined)
    const finished = store.finish(record.id, storedAnswer('1'))
    refuse(new StoreUnavailable('it did not answer in time'))
    await expect(opened).rejects.toThrow(StoreUnavailable)
    expect([await finished, written]).toEqual([true, [record.id]])
    await store.close()
  })

  it('closes the store after the last attempt, however long that takes within its time', async () => {
    const events: string[] = []
    let isAway = true
    const store = createSteadyStore({
      ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }),
      finish: async () => {
        if (isAway) throw new StoreUnavailable('away')
        await setTimeout(50)
        events.push('written')
        return true
      },
      close: async () => void events.push('closed'),
    })
    const written = store.finish('a', storedAnswer('1'))
    // So that it has failed once.
    await setTimeout(1)
    isAway = false
    await store.close()
    expect([await written, ...events]).toEqual([true, 'written', 'closed'])
  })
})
