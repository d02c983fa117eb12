import { describe, expect, it } from 'vitest'
import { createLaterWrites } from '../../../src/gateway/invocations/later-writes.ts'

const later = () => Date.now() + 60_000

describe('writes for later', () => {
  it('are tried until they go through, and then no more', async () => {
    const writes = createLaterWrites(10)
    let isAway = true
    let done = 0
    writes.add({
      name: 'one',
      until: later(),
      write: async () => {
        if (isAway) throw new Error('away')
        done++
      },
    })
    await writes.flush()
    expect({ done, size: writes.size }).toEqual({ done: 0, size: 1 })
    isAway = false
    await Promise.all([writes.flush(), writes.flush()])
    await writes.flush()
    expect({ done, size: writes.size }).toEqual({ done: 1, size: 0 })
  })

  it('are bounded in number, and dropped when they are of no use any more', async () => {
    const writes = createLaterWrites(2)
    const done: string[] = []
    const add = (name: string, until: number) => writes.add({ name, until, write: async () => done.push(name) })
    add('first', later())
    add('stale', Date.now() - 1)
    add('too many', later())
    await writes.flush()
    expect(done).toEqual(['first'])
    expect(writes.size).toBe(0)
  })

  it('count once for each name: the later one', async () => {
    const writes = createLaterWrites(2)
    const done: number[] = []
    for (const value of [1, 2]) writes.add({ name: 'same', until: later(), write: async () => done.push(value) })
    await writes.flush()
    expect(done).toEqual([2])
  })
})
