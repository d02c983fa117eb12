import { describe, expect, it } from 'vitest'
import { createPaceRecord, describePace } from '../../../bench/pace.ts'

describe('the machine’s pace', () => {
  it('is what the work usually took, and what it took in the slowest second, since the last question', () => {
    const record = createPaceRecord()
    for (const workMs of [...second(0.1), ...second(0.1), ...second(0.3), ...second(0.2)]) {
      record.note({ workMs, readNs: workMs * 1_000 })
    }
    expect(record.take()).toEqual({ usualMs: expect.closeTo(0.15), slowestMs: 0.3, readNs: expect.closeTo(150) })
    expect(record.take()).toBeUndefined()
  })

  it('does not take one interrupted piece of work for a slow second', () => {
    const record = createPaceRecord()
    for (const workMs of [...second(0.1).slice(1), 9]) record.note({ workMs, readNs: 100 })
    expect(record.take()).toEqual({ usualMs: 0.1, slowestMs: 0.1, readNs: 100 })

    for (const workMs of [...second(0.1), ...second(0.1), 9]) record.note({ workMs, readNs: 100 })
    expect(record.take()).toEqual({ usualMs: 0.1, slowestMs: 0.1, readNs: 100 })
  })

  it('is told of a run against the usual pace of its windows', () => {
    const paces = [
      { usualMs: 0.1, slowestMs: 0.1, readNs: 91.2 },
      { usualMs: 0.2, slowestMs: 0.25, readNs: 349.8 },
      { usualMs: 0.3, slowestMs: 0.5, readNs: 100 },
    ]
    expect(describePace(paces)).toContain('0.50 × to 1.50 × of its usual 0.20 ms in the windows, and 2.50 ×')
    expect(describePace(paces)).toContain('took 100 (91..350) ns')
  })
})

function second(workMs: number): readonly number[] {
  return Array.from({ length: 10 }, () => workMs)
}
