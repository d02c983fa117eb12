import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createWaiters } from '../../../src/gateway/invocations/waiters.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('who waits for news', () => {
  it('is forgotten when they came, when his time is over, when he goes, and at the end; others wait on', async () => {
    const waiters = createWaiters<string>()
    const caller = new AbortController()
    const told = [waiters.wait('told', 9_000), waiters.wait('told', 9_000)]
    const [late, patient] = [waiters.wait('late', 1_000), waiters.wait('late', 9_000)]
    const gone = waiters.wait('gone', 9_000, caller.signal)
    const last = waiters.wait('last', 9_000)
    waiters.wake('told', 'news')
    caller.abort()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await Promise.all([...told, late, gone])).toEqual(['news', 'news', undefined, undefined])
    expect([...waiters.ids]).toEqual(['late', 'last'])
    waiters.wake('late', 'at last')
    expect(await patient).toBe('at last')
    waiters.close()
    expect(await last).toBeUndefined()
    expect([[...waiters.ids], waiters.has('last'), vi.getTimerCount()]).toEqual([[], false, 0])
  })

  it('does not wait at all with no time left, or once he has gone', async () => {
    const waiters = createWaiters<string>()
    const none = [waiters.wait('a', 0), waiters.wait('a', -1), waiters.wait('a', 9_000, AbortSignal.abort())]
    expect(await Promise.all(none)).toEqual([undefined, undefined, undefined])
    expect([...waiters.ids]).toEqual([])
  })

  it('waits for months where he wants to', async () => {
    const waiters = createWaiters<string>()
    const waiting = waiters.wait('a', 90 * 86_400_000)
    await vi.advanceTimersByTimeAsync(20 * 86_400_000)
    waiters.wake('a', 'news')
    expect(await waiting).toBe('news')
  })
})
