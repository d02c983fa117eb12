import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRetries } from '../../../src/gateway/invocations/retries.ts'

const limits = { patienceMs: 10_000, maxWaiting: 10 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** Something that takes writes, or is away. */
function createSink() {
  const sink = {
    isAway: true,
    attempts: 0,
    done: 0,
    write: async () => {
      sink.attempts++
      if (sink.isAway) throw new Error('away')
      return ++sink.done
    },
  }
  return sink
}

describe('a write that is tried again', () => {
  it('is done once, when the store is back', async () => {
    const retries = createRetries(limits)
    const sink = createSink()
    const written = [retries.run(sink.write), retries.run(sink.write)]
    await vi.advanceTimersByTimeAsync(3_000)
    sink.isAway = false
    await vi.advanceTimersByTimeAsync(500)
    expect(await Promise.all(written)).toEqual([1, 2])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(sink.done).toBe(2)
    await retries.close()
  })

  it('fails as the store does when the patience is over, and when too many wait', async () => {
    const retries = createRetries({ ...limits, maxWaiting: 1 })
    const sink = createSink()
    const patient = expect(retries.run(sink.write)).rejects.toThrow('away')
    await vi.advanceTimersByTimeAsync(1)
    await expect(retries.run(sink.write)).rejects.toThrow('away')
    await vi.advanceTimersByTimeAsync(10_500)
    await patient
    await retries.close()
  })

  it('fails as the store does when too many bytes wait, and waits when those are written', async () => {
    const retries = createRetries({ ...limits, maxBytes: 1_000 })
    const sink = createSink()
    const early = retries.run(sink.write, 600)
    await vi.advanceTimersByTimeAsync(1)
    await expect(retries.run(sink.write, 401)).rejects.toThrow('away')
    const fitting = retries.run(sink.write, 400)
    // They take no more room for being tried again.
    await vi.advanceTimersByTimeAsync(3_000)
    sink.isAway = false
    await vi.advanceTimersByTimeAsync(500)
    expect(await Promise.all([early, fitting])).toEqual([1, 2])
    sink.isAway = true
    const next = retries.run(sink.write, 1_000)
    await vi.advanceTimersByTimeAsync(1)
    sink.isAway = false
    await vi.advanceTimersByTimeAsync(500)
    expect(await next).toBe(3)
    await retries.close()
  })

  it('keeps the room of a write while it is tried again', async () => {
    const retries = createRetries({ ...limits, maxBytes: 1_000 })
    const fails: ((error: Error) => void)[] = []
    const early = retries.run(() => new Promise<never>((_resolve, reject) => fails.push(reject)), 1_000)
    early.catch(() => undefined)
    fails[0]?.(new Error('away'))
    await vi.advanceTimersByTimeAsync(500)
    expect(fails).toHaveLength(2)
    await expect(retries.run(() => Promise.reject(new Error('away')), 1)).rejects.toThrow('away')
    fails[1]?.(new Error('away'))
    await retries.close()
  })

  it('has one last attempt at the end, whether or not that works', async () => {
    const retries = createRetries(limits)
    const [back, away] = [createSink(), createSink()]
    const written = retries.run(back.write)
    const refused = expect(retries.run(away.write)).rejects.toThrow('away')
    await vi.advanceTimersByTimeAsync(1)
    back.isAway = false
    await retries.close()
    expect(await written).toBe(1)
    await refused
    expect([back.attempts, away.attempts]).toEqual([2, 2])
  })

  it('does not hold up the end for longer than half a second', async () => {
    const retries = createRetries(limits)
    void retries.run(() => new Promise(() => undefined))
    const closed = retries.close()
    await vi.advanceTimersByTimeAsync(500)
    await expect(closed).resolves.toBeUndefined()
  })
})
