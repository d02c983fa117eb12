import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createForeignReplies, type ForeignReply } from '../../../src/gateway/invocations/foreign-replies.ts'

const all = () => true
const none = () => false

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function reply(id: string, changes: Partial<ForeignReply> = {}): ForeignReply {
  return {
    id,
    bytes: 10,
    arrivedAt: performance.now(),
    misses: 0,
    read: () => ({ kind: 'returned', value: id }),
    ...changes,
  }
}

function idsOf(replies: readonly ForeignReply[]): readonly string[] {
  return replies.map(({ id }) => id)
}

describe('foreign replies', () => {
  it('are bounded in number: the latest stay', () => {
    const foreign = createForeignReplies({ maxReplies: 2, maxBytes: 1_000, maxAgeMs: 1_000 })
    for (const id of ['a', 'b', 'c']) foreign.keep(reply(id))
    expect(foreign.bytes).toBe(20)
    expect(idsOf(foreign.takeDue(all))).toEqual(['b', 'c'])
    expect(foreign.bytes).toBe(0)
  })

  it('are bounded in bytes: one that is too large by itself is not kept', () => {
    const foreign = createForeignReplies({ maxReplies: 100, maxBytes: 100, maxAgeMs: 1_000 })
    for (const id of ['a', 'b', 'c']) foreign.keep(reply(id, { bytes: 40 }))
    expect(idsOf(foreign.takeDue(none))).toEqual([])
    expect(foreign.bytes).toBe(80)
    foreign.keep(reply('d', { bytes: 101 }))
    expect(foreign.bytes).toBe(0)
    foreign.keep(reply('e'))
    foreign.keep(reply('e', { bytes: 30 }))
    expect([foreign.bytes, idsOf(foreign.takeDue(all))]).toEqual([30, ['e']])
  })

  it('are bounded in age, counted from their arrival, however often they were looked at', () => {
    const foreign = createForeignReplies({ maxReplies: 100, maxBytes: 1_000, maxAgeMs: 5_000 })
    foreign.keep(reply('a'))
    vi.advanceTimersByTime(3_000)
    const [a] = foreign.takeDue(all)
    if (a !== undefined) foreign.keep({ ...a, misses: 1 })
    foreign.keep(reply('b'))
    vi.advanceTimersByTime(2_500)
    expect([idsOf(foreign.takeDue(all)), foreign.bytes]).toEqual([['b'], 0])
  })
})
