import { describe, expect, it } from 'vitest'
import {
  type AdaptiveLimit,
  createAdaptiveLimit,
  type Ending,
  type LetIn,
  WINDOW_MS,
} from '../../../src/gateway/limits/adaptive-limit.ts'
import type { Target } from '../../../src/runtime-adapters/contract.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

const [account] = compiledEntities({
  name: 'Account',
  methods: [
    { name: 'quick', params: [] },
    { name: 'slow', params: [] },
  ],
})

function methodOf(name: string): Target {
  const method = account?.methods.get(name)
  if (account === undefined || method === undefined) throw new Error('the test’s own metadata is broken')
  return { kind: 'call', entity: account, key: 'a', method }
}

const quick = methodOf('quick')
const slow = methodOf('slow')

interface Runtime {
  /** Calls a second at most. */
  readonly capacity: number
  /** Milliseconds that a call takes in an idle runtime, by method. */
  readonly idleMs: (target: Target) => number
}

/**
 * A runtime in simulated time: one queue that is served at a steady pace, and then so many milliseconds of work. It goes on where
 * it was, so that a test may change the load or the runtime between two runs.
 */
function simulate(limit: AdaptiveLimit) {
  let nowMs = 1_000
  let freeAtMs = 0
  let ends: { readonly call: LetIn; readonly atMs: number }[] = []

  function enter(target: Target, { capacity, idleMs }: Runtime): number | undefined {
    const call = limit.enter(target, 1, nowMs)
    if (call === undefined) return undefined
    freeAtMs = Math.max(freeAtMs, nowMs) + 1_000 / capacity
    ends.push({ call, atMs: freeAtMs + idleMs(target) })
    return freeAtMs + idleMs(target) - nowMs
  }

  return {
    /** @param perSecond calls that come, evenly */
    run(seconds: number, perSecond: number, runtime: Runtime, targetOf: (n: number) => Target = () => quick) {
      const untilMs = nowMs + seconds * 1_000
      const latencies: number[] = []
      let refused = 0
      let due = 0
      for (; nowMs < untilMs; nowMs++) {
        for (const { call } of ends.filter(({ atMs }) => atMs <= nowMs)) limit.leave(call, 'done', nowMs)
        ends = ends.filter(({ atMs }) => atMs > nowMs)
        for (due += perSecond / 1_000; due >= 1; due--) {
          const latency = enter(targetOf(latencies.length), runtime)
          if (latency === undefined) refused++
          else latencies.push(latency)
        }
        if (nowMs % WINDOW_MS === 0) limit.tick(nowMs, false)
      }
      latencies.sort((a, b) => a - b)
      return {
        perSecond: latencies.length / seconds,
        p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
        refused,
      }
    },
  }
}

const steady = (capacity: number, idleMs: number): Runtime => ({ capacity, idleMs: () => idleMs })
const make = () => createAdaptiveLimit({ min: 8, max: 10_000, tolerance: 2, floorMs: 5 })

describe('the adaptive limit', () => {
  it('keeps the queue short at four times the capacity, and the runtime busy', () => {
    const world = simulate(make())
    const runtime = steady(500, 30)
    const { p99Ms: idleMs } = world.run(5, 250, runtime)
    world.run(3, 2_000, runtime)
    const { perSecond, p99Ms } = world.run(60, 2_000, runtime)
    expect(perSecond).toBeGreaterThan(0.9 * 500)
    expect(p99Ms).toBeLessThan(3 * idleMs)
  })

  it('refuses nothing below the capacity', () => {
    const world = simulate(make())
    expect(world.run(20, 400, steady(500, 30)).refused).toBe(0)
  })

  it('lets everybody in again within five seconds of an overload', () => {
    const world = simulate(make())
    const runtime = steady(500, 30)
    world.run(30, 2_000, runtime)
    world.run(5, 400, runtime)
    expect(world.run(10, 400, runtime).refused).toBe(0)
  })

  it('grows to what a slow runtime that takes much at once can do', () => {
    const limit = make()
    const world = simulate(limit)
    world.run(40, 1_000, steady(100_000, 2_000))
    expect(world.run(10, 1_000, steady(100_000, 2_000)).refused).toBe(0)
    expect(limit.limit).toBeGreaterThanOrEqual(2_000)
  })

  it('takes no slow method for a queue', () => {
    const world = simulate(make())
    const runtime: Runtime = { capacity: 10_000, idleMs: (target) => (target === slow ? 400 : 10) }
    world.run(2, 100, runtime, (n) => (n % 10 === 0 ? slow : quick))
    const { refused } = world.run(20, 100, runtime, (n) => (n % 2 === 0 ? slow : quick))
    expect(refused).toBe(0)
  })

  it('is not led astray by calls that are refused at once', () => {
    const limit = make()
    let nowMs = 1_000
    let refused = 0
    let ends: { readonly call: LetIn; readonly atMs: number; readonly ending: Ending }[] = []
    for (let count = 0; nowMs < 61_000; nowMs++) {
      for (const { call, ending } of ends.filter(({ atMs }) => atMs <= nowMs)) limit.leave(call, ending, nowMs)
      ends = ends.filter(({ atMs }) => atMs > nowMs)
      for (; ends.length < 100; count++) {
        const call = limit.enter(quick, 1, nowMs)
        if (call === undefined) break
        const isRefused = count % 20 === 0
        ends.push({ call, atMs: nowMs + (isRefused ? 2 : 100), ending: isRefused ? 'refused' : 'done' })
      }
      if (nowMs > 31_000 && ends.length < 100) refused++
      if (nowMs % WINDOW_MS === 0) limit.tick(nowMs, false)
    }
    expect(limit.limit).toBeGreaterThanOrEqual(100)
    expect(refused).toBeLessThan(1_000)
  })

  it('measures refusals by themselves where nothing else is answered', () => {
    const limit = make()
    for (let nowMs = 1_000; nowMs < 20_000; nowMs += WINDOW_MS) {
      const calls = Array.from({ length: 100 }, () => limit.enter(quick, 1, nowMs))
      for (const call of calls) if (call !== undefined) limit.leave(call, 'refused', nowMs + 90)
      limit.tick(nowMs + 95, false)
    }
    expect(limit.limit).toBeGreaterThanOrEqual(100)
  })

  it('gets used to a runtime that has become slower for good', () => {
    const limit = make()
    const world = simulate(limit)
    world.run(20, 400, steady(10_000, 20))
    world.run(5, 400, steady(10_000, 100))
    expect(limit.limit).toBeLessThan(40)
    world.run(90, 400, steady(10_000, 100))
    expect(world.run(10, 400, steady(10_000, 100)).refused).toBe(0)
  })

  it('does not get used to its own queue in a long overload', () => {
    const world = simulate(make())
    world.run(300, 1_000, steady(200, 30))
    expect(world.run(10, 1_000, steady(200, 30)).p99Ms).toBeLessThan(3 * 35)
  })

  it('lets the fewest in while nobody is answered, and forgets calls that never will be', () => {
    const limit = make()
    const calls: LetIn[] = []
    let nowMs = 1_000
    for (; nowMs < 60_000; nowMs += WINDOW_MS) {
      for (let n = 0; n < 20; n++) {
        const call = limit.enter(quick, 1, nowMs)
        if (call !== undefined) calls.push(call)
      }
      for (const call of calls.filter(({ startedAtMs }) => startedAtMs === nowMs - 10_000))
        limit.leave(call, 'silent', nowMs)
      limit.tick(nowMs, false)
    }
    expect(limit.limit).toBe(8)
    for (const end = nowMs + 32_000; nowMs < end; nowMs += WINDOW_MS) limit.tick(nowMs, false)
    expect(limit.inFlight).toBe(0)
    for (const call of calls) limit.leave(call, 'done', nowMs)
    expect(limit.inFlight).toBe(0)
  })

  it('does not grow by calls that were never sent', () => {
    const limit = make()
    const before = limit.limit
    for (let nowMs = 1_000; nowMs < 6_000; nowMs += WINDOW_MS) {
      const calls = Array.from({ length: before }, () => limit.enter(quick, 1, nowMs))
      for (const call of calls) if (call !== undefined) limit.leave(call, 'not-sent', nowMs + 1)
      limit.tick(nowMs + WINDOW_MS, false)
    }
    expect(limit.limit).toBe(before)
  })

  /** Calls that begin together and are done after so many milliseconds; the window ends with the last. */
  function windowOf(limit: AdaptiveLimit, nowMs: number, ...tookMs: readonly number[]): number {
    const calls = tookMs.map((ms) => ({ call: limit.enter(quick, 1, nowMs), ms }))
    for (const { call, ms } of calls) if (call !== undefined) limit.leave(call, 'done', nowMs + ms)
    const endMs = nowMs + Math.max(WINDOW_MS, ...tookMs)
    limit.tick(endMs, false)
    return endMs
  }
  const eight = (ms: number): readonly number[] => Array.from({ length: 8 }, () => ms)

  it('concludes nothing from a few slow calls until a second has passed', () => {
    const limit = make()
    let nowMs = windowOf(limit, 1_000, ...eight(20))
    const before = limit.limit
    nowMs = windowOf(limit, nowMs, 90, 90, 90)
    for (let n = 0; n < 8; n++) nowMs = windowOf(limit, nowMs)
    expect(limit.limit).toBe(before)
    windowOf(limit, nowMs)
    expect(limit.limit).toBeLessThan(before)
  })

  it('takes no runtime for slow that is as quick as the floor lets it be', () => {
    const limit = make()
    let nowMs = windowOf(limit, 1_000, ...eight(1))
    for (let n = 0; n < 5; n++) {
      const before = limit.limit
      nowMs = windowOf(limit, nowMs, ...Array.from({ length: before }, () => 9))
      expect(limit.limit).toBeGreaterThanOrEqual(before)
    }
  })

  it('is cut by half at most at once, however long a pause was', () => {
    const limit = make()
    let nowMs = 1_000
    while (limit.limit < 100) nowMs = windowOf(limit, nowMs, ...Array.from({ length: limit.limit }, () => 20))
    const before = limit.limit
    windowOf(limit, nowMs, ...Array.from({ length: before }, () => 10_000))
    expect(limit.limit).toBeGreaterThanOrEqual(Math.floor(before / 2))
    expect(limit.limit).toBeLessThan(before)
  })

  it('remembers how quick a method is when nothing is in its way, though nobody has called it for a while', () => {
    for (const windows of [301, 700]) {
      const limit = make()
      let nowMs = windowOf(limit, 1_000, ...eight(20))
      for (let n = 0; n < windows; n++) nowMs = windowOf(limit, nowMs)
      const before = limit.limit
      windowOf(limit, nowMs, ...eight(200))
      expect(limit.limit, String(windows)).toBe(before / 2)
    }
  })

  it('grows to its most and no further', () => {
    const limit = createAdaptiveLimit({ min: 8, max: 30, tolerance: 2, floorMs: 5 })
    let nowMs = 1_000
    for (let n = 0; n < 20; n++) nowMs = windowOf(limit, nowMs, ...Array.from({ length: limit.limit }, () => 20))
    expect(limit.limit).toBe(30)
  })

  it('never closes for all, not even when it lets the queue run empty', () => {
    const limit = createAdaptiveLimit({ min: 1, max: 3, tolerance: 2, floorMs: 5 })
    const world = simulate(limit)
    for (let n = 0; n < 400; n++) {
      world.run(0.1, 1_000, steady(20, 30))
      expect(limit.limit).toBeGreaterThanOrEqual(1)
    }
  })

  it('forgets what it had grown to once so much is asked for no longer', () => {
    const limit = make()
    const world = simulate(limit)
    world.run(20, 4_000, steady(100_000, 50))
    const before = limit.limit
    expect(before).toBeGreaterThan(100)
    world.run(60, 50, steady(100_000, 50))
    expect(limit.limit).toBeLessThan(before / 2)
  })

  it('shrinks while the event loop is late, however quick the runtime is', () => {
    const limit = make()
    const world = simulate(limit)
    world.run(2, 1_000, steady(10_000, 50))
    const before = limit.limit
    for (let nowMs = 100_000; nowMs < 103_000; nowMs += WINDOW_MS) {
      const calls = Array.from({ length: 20 }, () => limit.enter(quick, 1, nowMs))
      for (const call of calls) if (call !== undefined) limit.leave(call, 'done', nowMs + 50)
      limit.tick(nowMs, true)
    }
    expect(limit.limit).toBeLessThan(before / 2)
  })
})
