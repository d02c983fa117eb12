import { describe, expect, it } from 'vitest'
import { createMemoryRateStore } from '../../src/gateway/limits/memory-rate-store.ts'
import type { Quota } from '../../src/gateway/limits/quota.ts'
import { describeRateStore } from './rate-store.ts'

describeRateStore('the rate store in memory', async () => {
  const store = createMemoryRateStore({ maxBuckets: 1_000 })
  return { replicas: [store, store], close: async () => store.close() }
})

describe('the rate store in memory', () => {
  const quota: Quota = { policy: 'caller', calls: 5, windowSeconds: 10 }
  const at = { ms: 0 }
  const build = (maxBuckets: number) => createMemoryRateStore({ maxBuckets, now: () => at.ms })

  it('holds no more buckets than it may, whoever calls', () => {
    const store = build(100)
    for (let n = 0; n < 10_000; n++) void store.count(`caller ${n}`, quota)
    expect(store.size).toBeLessThanOrEqual(100)
  })

  it('remembers who goes on calling, however many others come', () => {
    const store = build(100)
    let calls = 0
    for (let n = 0; n < 1_000; n++) {
      void store.count(`stranger ${n}`, quota)
      if (n % 10 === 0) calls = (store.count('regular', quota) as { calls: number }).calls
    }
    expect(calls).toBe(100)
  })

  it('holds a bucket once that goes on in the next generation', () => {
    const store = build(4)
    for (const name of ['a', 'b', 'c', 'a']) void store.count(name, quota)
    expect(store.size).toBe(3)
    expect(store.count('a', quota)).toMatchObject({ calls: 3 })
  })

  it('never leaves more time than a window has, wherever the clock stands', () => {
    const store = build(100)
    at.ms = 44_694 / 7
    expect(at.ms + 10_000 - at.ms).toBeGreaterThan(10_000)
    expect(store.count('a', quota)).toEqual({ calls: 1, leftMs: 10_000 })
  })

  it('pushes out nobody for a window that begins anew', () => {
    const store = build(4)
    const countAt = (ms: number, name: string) => {
      at.ms = ms
      return store.count(name, quota)
    }
    for (const [ms, name] of [
      [0, 'first'],
      [5_000, 'idle'],
      [6_000, 'other'],
      [7_000, 'first'],
      [10_000, 'first'],
    ] as const) {
      void countAt(ms, name)
    }
    expect(countAt(11_000, 'idle')).toEqual({ calls: 2, leftMs: 4_000 })
  })

  it('begins a new window at its end for who has been idle for a generation, too', () => {
    for (const [ms, count] of [
      [9_999, { calls: 2, leftMs: 1 }],
      [10_000, { calls: 1, leftMs: 10_000 }],
      [25_000, { calls: 1, leftMs: 10_000 }],
    ] as const) {
      const store = build(4)
      at.ms = 0
      for (const name of ['idle', 'b', 'c']) void store.count(name, quota)
      at.ms = ms
      expect(store.count('idle', quota)).toEqual(count)
    }
  })

  it('begins a new window at its end to the millisecond, and not before', () => {
    const store = build(100)
    at.ms = 5_000
    void store.count('a', quota)
    at.ms = 14_999
    expect(store.count('a', quota)).toEqual({ calls: 2, leftMs: 1 })
    at.ms = 15_000
    expect(store.count('a', quota)).toEqual({ calls: 1, leftMs: 10_000 })
  })
})
