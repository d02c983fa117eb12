import { describe, expect, it } from 'vitest'
import { createLanes } from '../../../src/routes/batch-lanes.ts'

/** Jobs that end when the test says so. */
function build(mayBegin?: () => boolean) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const lanes = createLanes<string>((job) => {
    begun.push(job)
    return new Promise((resolve) => ends.set(job, resolve))
  }, mayBegin)
  async function end(job: string): Promise<void> {
    ends.get(job)?.()
    await new Promise(setImmediate)
  }
  return { lanes, begun, end }
}

describe('lanes', () => {
  it('run one job of a lane at a time, in order, and different lanes side by side', async () => {
    const { lanes, begun, end } = build()
    for (const job of ['a1', 'a2', 'b1', 'a3', 'b2']) lanes.add(job[0], job)
    expect(begun).toEqual(['a1', 'b1'])
    await end('b1')
    await end('a1')
    await end('a2')
    expect(begun).toEqual(['a1', 'b1', 'b2', 'a2', 'a3'])
  })

  it('run jobs without a lane at once', () => {
    const { lanes, begun } = build()
    lanes.add(undefined, 'x')
    lanes.add(undefined, 'y')
    expect(begun).toEqual(['x', 'y'])
  })

  it('give back what has not begun, and take new jobs after that', async () => {
    const { lanes, begun, end } = build()
    for (const job of ['a1', 'a2', 'b1', 'b2', 'a3']) lanes.add(job[0], job)
    expect(lanes.takeWaiting()).toEqual(['a2', 'a3', 'b2'])
    expect(lanes.takeWaiting()).toEqual([])
    await end('a1')
    lanes.add('a', 'a4')
    expect(begun).toEqual(['a1', 'b1', 'a4'])
  })

  it('are forgotten when they are empty', async () => {
    const { lanes, begun, end } = build()
    lanes.add('a', 'a1')
    await end('a1')
    lanes.add('a', 'a2')
    expect(begun).toEqual(['a1', 'a2'])
  })

  it('are held up where no further job may begin, and go on in the order in which they were', async () => {
    let room = true
    const { lanes, begun, end } = build(() => room)
    for (const job of ['a1', 'a2', 'b1', 'b2', 'c1']) lanes.add(job[0], job)
    room = false
    for (const job of ['b1', 'a1', 'c1']) await end(job)
    lanes.add('a', 'a3')
    lanes.goOn()
    expect(begun).toEqual(['a1', 'b1', 'c1'])
    room = true
    lanes.goOn()
    expect(begun.slice(3)).toEqual(['b2', 'a2'])
    await end('a2')
    expect(begun.slice(5)).toEqual(['a3'])
  })

  it('give back what was held up, and take new jobs after that', async () => {
    let room = true
    const { lanes, begun, end } = build(() => room)
    for (const job of ['a1', 'a2']) lanes.add(job[0], job)
    room = false
    await end('a1')
    expect([lanes.takeWaiting(), lanes.takeWaiting()]).toEqual([['a2'], []])
    room = true
    lanes.add('a', 'a3')
    lanes.goOn()
    expect(begun).toEqual(['a1', 'a3'])
  })
})
