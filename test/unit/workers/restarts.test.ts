import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRestarts } from '../../../src/gateway/workers/restarts.ts'

describe('workers that have ended', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('are started again after waits that double, and given up at the sixth end in a row', () => {
    const started: number[] = []
    const restarts = createRestarts((number) => started.push(number))
    const waits: (number | undefined)[] = []
    for (let ends = 0; ends < 6; ends++) {
      const inMs = restarts.plan(2)
      waits.push(inMs)
      vi.advanceTimersByTime((inMs ?? 1) - 1)
      expect(started).toHaveLength(ends)
      vi.advanceTimersByTime(1)
      if (inMs !== undefined) expect(started).toHaveLength(ends + 1)
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, undefined])
    expect(started).toEqual([2, 2, 2, 2, 2])
  })

  it('begin a new row after they have served for half a minute, and not before', () => {
    const restarts = createRestarts(() => undefined)
    restarts.plan(1)
    restarts.noteServing(1)
    vi.advanceTimersByTime(29_999)
    expect(restarts.plan(1)).toBe(200)
    restarts.noteServing(1)
    vi.advanceTimersByTime(30_000)
    expect(restarts.plan(1)).toBe(100)
  })

  it('do not count for each other', () => {
    const restarts = createRestarts(() => undefined)
    expect([1, 2, 3, 1].map((number) => restarts.plan(number))).toEqual([100, 100, 100, 200])
  })

  it('are not started any more once the gateway stops', () => {
    const started: number[] = []
    const restarts = createRestarts((number) => started.push(number))
    restarts.plan(1)
    restarts.close()
    vi.advanceTimersByTime(10_000)
    expect(started).toEqual([])
  })
})
