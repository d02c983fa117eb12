import { describe, expect, it } from 'vitest'
import { createQueue } from '../../../src/gateway/reload/reload-queue.ts'

/** Work that ends when the test says so; it returns how often it has begun. */
function heldWork() {
  const ends: (() => void)[] = []
  let underWay = 0
  let most = 0
  const ask = createQueue(async () => {
    most = Math.max(most, ++underWay)
    const begun = ends.length + 1
    await new Promise<void>((resolve) => ends.push(resolve))
    underWay--
    return begun
  })
  return { ask, end: (index: number) => ends[index]?.(), begun: () => ends.length, most: () => most }
}

describe('reloads that are asked for at once', () => {
  it('run one after the other, and all that come meanwhile share the next', async () => {
    const work = heldWork()
    const first = work.ask()
    const others = [work.ask(), work.ask(), work.ask()]
    expect(work.begun()).toBe(1)
    work.end(0)
    expect(await first).toBe(1)
    await Promise.resolve()
    work.end(1)
    expect(await Promise.all(others)).toEqual([2, 2, 2])
    expect(work.most()).toBe(1)
  })

  it('run again when the one before has failed', async () => {
    let count = 0
    const ask = createQueue(async () => {
      if (++count === 1) throw new Error('the first')
      return count
    })
    const [first, second] = [ask(), ask()]
    await expect(first).rejects.toThrow('the first')
    expect(await second).toBe(2)
    expect(await ask()).toBe(3)
  })
})
