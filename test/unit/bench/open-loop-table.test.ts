import { describe, expect, it } from 'vitest'
import type { OpenLoopSample } from '../../../bench/open-loop-run.ts'
import { renderOpenLoops } from '../../../bench/open-loop-table.ts'

function sample(round: number, ratePerS: number, more: Partial<OpenLoopSample> = {}): OpenLoopSample {
  return {
    ...{ contender: 'gateway-statefun', round, plan: { name: '70 %', ratePerS }, calls: ratePerS, errors: 0 },
    ...{ elapsedMs: 1_000, p50Us: 1_000, p99Us: 2_000, maxUs: 3_000, cpuMs: 100, rssBytes: 0, processes: [] },
    ...{ loadCpuMs: 0, workerCpuMs: 0, brokerCpuMs: 0, pace: undefined, slow: [], unanswered: 0, stalls: [] },
    pauses: { contender: [], broker: [], load: [] },
    ...more,
  }
}

/** The cells of the only row, by their headings. */
function rowOf(samples: readonly OpenLoopSample[]): Readonly<Record<string, string>> {
  const cellsOf = (line = '') =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  const [headings, , row] = renderOpenLoops(samples).filter((line) => line.startsWith('|'))
  const cells = cellsOf(row)
  return Object.fromEntries(cellsOf(headings).map((heading, index) => [heading, cells[index] ?? '']))
}

describe('the table of calls at fixed rates', () => {
  it('has the median of what was planned beside the median of what was answered', () => {
    const row = rowOf([sample(1, 100), sample(2, 900), sample(3, 1_000)])
    expect([row['planned/s'], row['answered/s']]).toEqual(['900', '900'])
  })

  it('says how many calls had no answer, and has them among the slow ones', () => {
    const slow = [1, 2, 3].map((startMs) => ({ startMs, endMs: 1_000 }))
    const row = rowOf([sample(1, 100, { slow, unanswered: 2 }), sample(2, 100, { slow, unanswered: 1 })])
    expect([row['over 250 ms'], row.unanswered, row.unexplained]).toEqual(['6', '3', '6'])
  })
})
