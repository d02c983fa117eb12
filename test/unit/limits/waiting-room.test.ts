import { describe, expect, it, vi } from 'vitest'
import { createWaitingRoom } from '../../../src/gateway/limits/waiting-room.ts'
import type { Invocation, Outcome } from '../../../src/runtime-adapters/contract.ts'

const done: Outcome = { kind: 'returned', value: null }

/** A room before a gate that lets in what the test has opened it for. */
function build() {
  const room = createWaitingRoom()
  const tryCall = ({ id, target }: Invocation): Promise<Outcome> | undefined => {
    if ((open.get(target.entity.name) ?? 0) === 0) return undefined
    open.set(target.entity.name, (open.get(target.entity.name) ?? 0) - 1)
    called.push(id)
    return Promise.resolve(done)
  }
  const open = new Map<string, number>()
  const called: string[] = []
  const wait = (entity: string, id: string, deadline = Date.now() + 10_000) =>
    // Of an invocation, the room looks at the entity's name and the deadline, and this test's gate at the id.
    room.wait({ id, deadline, target: { entity: { name: entity } } } as Invocation, tryCall)
  return { room, open, called, wait }
}

describe('the waiting room', () => {
  it('lets calls in in their order, once there is room', async () => {
    const { room, open, called, wait } = build()
    const all = [wait('A', '1'), wait('A', '2'), wait('A', '3')]
    open.set('A', 2)
    room.wake()
    expect(called).toEqual(['1', '2'])
    open.set('A', 1)
    room.wake()
    expect(await Promise.all(all)).toEqual([done, done, done])
    expect(room.size).toBe(0)
  })

  it('serves entity types in turn: one that is full holds up no other', async () => {
    const { room, open, called, wait } = build()
    for (const id of ['a1', 'a2']) void wait('A', id)
    for (const id of ['b1', 'b2']) void wait('B', id)
    open.set('B', 5)
    room.wake()
    expect(called).toEqual(['b1', 'b2'])
    expect(room.size).toBe(2)
    room.close()
  })

  it('gives a call up at its deadline, surely unsent', async () => {
    const { wait, called } = build()
    expect(await wait('A', '1', Date.now() + 20)).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    expect(called).toEqual([])
  })

  it('gives up only the calls whose deadline has come, wherever they stand', async () => {
    const { room, open, called, wait } = build()
    const [first, late, last] = [wait('A', '1'), wait('A', '2', Date.now() + 20), wait('A', '3')]
    expect(await late).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    expect(room.size).toBe(2)
    open.set('A', 5)
    room.wake()
    expect(await Promise.all([first, last])).toEqual([done, done])
    expect([called, room.size]).toEqual([['1', '3'], 0])
  })

  it('keeps nobody for more than a minute, and has no timer when nobody waits', async () => {
    vi.useFakeTimers()
    try {
      const { room, wait } = build()
      let isOver = false
      const waiting = wait('A', '1', Date.now() + 3_600_000).finally(() => {
        isOver = true
      })
      await vi.advanceTimersByTimeAsync(59_000)
      expect([isOver, room.size]).toEqual([false, 1])
      await vi.advanceTimersByTimeAsync(2_000)
      expect([isOver, room.size, vi.getTimerCount()]).toEqual([true, 0, 0])
      expect(await waiting).toMatchObject({ kind: 'not-sent', cause: 'overloaded' })
    } finally {
      vi.useRealTimers()
    }
  })

  it('refuses who waits when it closes, and who comes later', async () => {
    const { room, wait } = build()
    const waiting = wait('A', '1')
    room.close()
    expect(await waiting).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
    expect(await wait('A', '2')).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
  })
})
