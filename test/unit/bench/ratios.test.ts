import { describe, expect, it } from 'vitest'
import { contenderGroups, contenderKinds } from '../../../bench/contender-kinds.ts'
import { describeMachine } from '../../../bench/machine.ts'
import type { Sample } from '../../../bench/measure.ts'
import type { OpenLoopSample } from '../../../bench/open-loop-run.ts'
import { readOptions } from '../../../bench/options.ts'
import { isMet, type Ratio, type Results, ratiosOf } from '../../../bench/ratios.ts'
import { renderRatios } from '../../../bench/ratios-table.ts'
import type { ReplicaSample } from '../../../bench/replicas.ts'
import { renderResults } from '../../../bench/results.ts'

const costs = { rssBytes: 0, processes: [], loadCpuMs: 0, workerCpuMs: 0, brokerCpuMs: 0, pace: undefined }
const window = { calls: 1_000, errors: 0, elapsedMs: 1_000, p50Us: 1_000, p99Us: 2_000, maxUs: 3_000, ...costs }

function sample(contender: string, round: number, more: Partial<Sample> = {}): Sample {
  return { ...window, contender, round, turn: 1, level: 256, cpuMs: 100, ...more }
}

const nothing: Results = { closed: [], open: [], replicas: [], missing: new Map() }

function ratio(results: Partial<Results>, what: string): Ratio {
  const found = ratiosOf({ ...nothing, ...results }).find((each) => each.what.startsWith(what))
  if (found === undefined) throw new Error(`there is no ratio ${what}`)
  return found
}

describe('the results', () => {
  it('say of a peer that answered nothing that it stood still, and give no figures for it', () => {
    const names = ['nest', 'fastapi']
    const kinds = contenderKinds.filter(({ name }) => names.includes(name))
    const closed = [sample('nest', 1), sample('fastapi', 1, { calls: 0 })]
    const report = { machine: describeMachine(undefined), options: readOptions(['--quick']), kinds, minutes: 1 }
    const text = renderResults({ ...nothing, closed }, report)
    expect(text).toMatch(/^\| nest +\| +1,000 \|/m)
    expect(text).toContain('| fastapi | not run: it stood still: no call was answered in any window |')
    expect(text).not.toContain('Infinity')
  })

  it('say in how many windows a peer answered nothing, and take its costs from the others', () => {
    const kinds = contenderKinds.filter(({ name }) => name === 'nest')
    const closed = [sample('nest', 1), sample('nest', 2, { calls: 0 }), sample('nest', 3)]
    const report = { machine: describeMachine(undefined), options: readOptions(['--quick']), kinds, minutes: 1 }
    const text = renderResults({ ...nothing, closed }, report)
    expect(text).toMatch(/^\| nest \*\*silent in 1 of 3\*\* +\| +1,000 \(0\.\.1,000\) \|/m)
    expect(text).not.toContain('Infinity')
  })
})

describe('the ratios', () => {
  it('compare within a turn, so that a slow one counts for both', () => {
    const turns = [1, 2].flatMap((round) => [1, 2].map((turn) => ({ round, turn })))
    const closed = turns.flatMap(({ round, turn }) => [
      sample('echo', round, { turn, cpuMs: 10 * round * turn }),
      sample('gateway-statefun', round, { turn, cpuMs: 20 * round * turn }),
    ])
    const found = ratio({ closed }, 'CPU a call, gateway ÷ echo, 256')
    expect(found.measured).toEqual([2, 2, 2, 2])
    expect(isMet(found)).toBe(true)
  })

  it('are of contenders of one group, whose windows take turns', () => {
    const all = ratiosOf(nothing).filter(({ point }) => point !== '4' && point !== '6')
    const within = contenderGroups.flatMap((group) => {
      const closed = group.flatMap(({ name }) => [1, 64, 256].map((level) => sample(name, 1, { level })))
      return ratiosOf({ ...nothing, closed }).filter(({ measured }) => measured.length > 0)
    })
    expect(within.map(({ what }) => what).toSorted()).toEqual(all.map(({ what }) => what).toSorted())
  })

  it('divide CPU by calls', () => {
    const closed = [sample('echo', 1, { calls: 2_000 }), sample('gateway-statefun', 1, { calls: 500 })]
    expect(ratio({ closed }, 'CPU a call, gateway ÷ echo, 256').measured).toEqual([4])
    expect(isMet(ratio({ closed }, 'CPU a call, gateway ÷ echo, 256'))).toBe(false)
  })

  it('leave out what did not answer at all', () => {
    const closed = [sample('nest', 1, { calls: 0 }), sample('gateway-statefun', 1)]
    expect(ratio({ closed }, 'calls/s, gateway ÷ nest').measured).toEqual([])
  })

  it('say neither yes nor no of what was not measured', () => {
    expect(isMet(ratio({}, 'calls/s, gateway ÷ nest, 256'))).toBeUndefined()
    const results = { ...nothing, missing: new Map([['zilla', 'ZILLA_HOME is not set']]) }
    const text = renderRatios(results, { isWhole: true }).join('\n')
    expect(text).toMatch(/÷ zilla, 256 under way +\| +not run: ZILLA_HOME is not set/)
    expect(text).not.toContain('| yes')
  })

  it('compare the raw round trip with the gateway that sends the same records', () => {
    const closed = [
      sample('gateway-statefun', 1, { level: 1, p50Us: 1_100 }),
      sample('gateway-platformatic', 1, { level: 1, p50Us: 1_300 }),
      sample('raw-platformatic', 1, { level: 1 }),
    ]
    expect(ratio({ closed }, 'p50, gateway with StateFlow’s events ÷ raw round trip').measured).toEqual([1.3])
  })

  it('count slow calls that no pause explains', () => {
    const slow = [
      { startMs: 0, endMs: 300 },
      { startMs: 1_000, endMs: 1_300 },
    ]
    const pauses = { contender: [], broker: [{ startMs: 0, endMs: 290 }], load: [] }
    const plan = { name: '70 %', ratePerS: 1_000 } as const
    const open: readonly OpenLoopSample[] = [
      { ...window, cpuMs: 1, contender: 'gateway-statefun', round: 1, plan, slow, unanswered: 0, stalls: [], pauses },
    ]
    expect(ratio({ open }, 'calls over 250 ms').measured).toEqual([1])
    expect(ratio({ open }, 'p99 ÷ p50').measured).toEqual([2])
  })

  it('compare eight replicas with one', () => {
    const replica = (replicas: number, reading: ReplicaSample['reading'], cpuMs: number): ReplicaSample => ({
      ...sample('replicas', 1, { cpuMs }),
      ...{ replicas, reading, readPerCall: 1 },
    })
    const replicas = [
      ...[replica(1, 'unkeyed', 100), replica(8, 'unkeyed', 180)],
      ...[replica(1, 'all', 100), replica(8, 'own', 130)],
    ]
    expect(isMet(ratio({ replicas }, 'CPU a call, eight replicas ÷ one, replies without'))).toBe(true)
    expect(isMet(ratio({ replicas }, 'CPU a call, eight replicas ÷ one, replies keyed'))).toBe(false)
  })

  it('leave out replicas that did not answer at all', () => {
    const replica = (replicas: number, calls: number): ReplicaSample => ({
      ...sample('replicas', 1, { calls }),
      ...{ replicas, reading: 'unkeyed', readPerCall: 1 },
    })
    const what = 'CPU a call, eight replicas ÷ one, replies without'
    expect(ratio({ replicas: [replica(1, 1_000), replica(8, 0)] }, what).measured).toEqual([])
    expect(ratio({ replicas: [replica(1, 0), replica(8, 1_000)] }, what).measured).toEqual([])
  })
})
