import { describe, expect, it } from 'vitest'
import { createGathering } from '../../../src/routes/gathered-answers.ts'

describe('answers', () => {
  it('of one turn go out together, after it', async () => {
    const isTime = createGathering(() => 0)
    const seen: string[] = []
    const all = ['a', 'b'].map((name) => isTime().then(() => seen.push(name)))
    await Promise.resolve()
    expect(seen).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['a', 'b'])
    await Promise.all(all)
  })

  it('are not kept by long calls of their turn', async () => {
    let clockMs = 0
    const isTime = createGathering(() => clockMs)
    let isGone = false
    void isTime().then(() => {
      isGone = true
    })
    clockMs = 2
    void isTime()
    await Promise.resolve()
    expect(isGone).toBe(true)
  })
})
