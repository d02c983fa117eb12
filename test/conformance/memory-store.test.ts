import { describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { StoreUnavailable } from '../../src/routes/invocation-store.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
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

  /** What a store with room for 50,000 characters keeps of answers with these bodies, to calls that were under way together. */
  async function withAnswers(...bodies: readonly string[]) {
    let now = Date.now()
    const store = createMemoryStore({ retentionMs: 1_000, maxRecords: 100, maxBytes: 100_000, now: () => now })
    const records = bodies.map(() => runningRecord())
    for (const record of records) await store.open(record, record.id)
    for (const [index, { id }] of records.entries()) await store.finish(id, storedAnswer(bodies[index] ?? '', 201))
    const answers = await Promise.all(records.map(({ id }) => store.waitFor(id, 0)))
    return { store, answers, pass: (ms: number) => (now += ms) }
  }

  it('refuses further records before answers have all of its bytes, and takes them again when those are forgotten', async () => {
    const { store, pass } = await withAnswers('x'.repeat(37_500))
    await expect(store.open(runningRecord(), undefined)).rejects.toThrow(StoreUnavailable)
    await expect(store.open(runningRecord(), undefined)).rejects.toThrow('Answers of 75000 bytes are kept already.')
    pass(1_000)
    expect(await store.open(runningRecord(), undefined)).toEqual({ kind: 'opened' })
    const { store: other } = await withAnswers('x'.repeat(37_499))
    expect(await other.open(runningRecord(), undefined)).toEqual({ kind: 'opened' })
  })

  it('has room for answers of calls under way until its bytes are taken; of others it keeps how they ended, and small ones whole', async () => {
    const small = Array.from({ length: 10 }, () => 's'.repeat(512))
    const { answers } = await withAnswers('x'.repeat(40_000), 'y'.repeat(10_001), 'z'.repeat(9_000), ...small)
    expect(answers.map((answer) => answer?.status)).toEqual([201, 507, 201, ...small.map(() => 201)])
  })

  it('shows the answer of a call that was not sent for five minutes', async () => {
    vi.useFakeTimers()
    try {
      const store = createMemoryStore({ retentionMs: 1_000, maxRecords: 10 })
      await store.start()
      const record = runningRecord()
      await store.open(record, undefined)
      await store.release(record.id, undefined, storedAnswer('1', 503))
      await vi.advanceTimersByTimeAsync(299_000)
      expect(await store.read(record.id)).toMatchObject({ state: 'finished', answer: { status: 503 } })
      await vi.advanceTimersByTimeAsync(2_000)
      expect(await store.read(record.id)).toBeUndefined()
      await store.close()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('shows no more of such answers than it keeps records: the latest', async () => {
    const store = createMemoryStore({ retentionMs: 60_000, maxRecords: 2 })
    const records = Array.from({ length: 3 }, () => runningRecord())
    for (const { id } of records) {
      await store.open({ ...runningRecord(), id }, undefined)
      await store.release(id, undefined, storedAnswer('1', 503))
    }
    const seen = await Promise.all(records.map(({ id }) => store.waitFor(id, 0)))
    expect(seen.map((answer) => answer?.status)).toEqual([undefined, 503, 503])
    await store.close()
  })

  it('gives an answer that it has no room for to who waits', async () => {
    const { store } = await withAnswers('x'.repeat(37_499))
    const record = runningRecord()
    await store.open(record, undefined)
    const waiting = store.waitFor(record.id, Date.now() + 5_000)
    const large = storedAnswer('y'.repeat(20_000))
    expect(await store.finish(record.id, large)).toBe(true)
    expect(await waiting).toEqual(large)
    const kept = await store.waitFor(record.id, 0)
    expect(JSON.parse(kept?.body ?? '')).toMatchObject({
      code: 'answer_too_large',
      invocationId: record.id,
      detail: 'The call was answered with status 200 and 20000 bytes, for which there is no room among those kept.',
    })
  })
})
