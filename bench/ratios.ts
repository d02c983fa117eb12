import type { Sample } from './measure.ts'
import { type OpenLoopSample, REFERENCE, WITH_STATEFLOW } from './open-loop-run.ts'
import { blame } from './pauses.ts'
import type { ReplicaSample } from './replicas.ts'
import { cpuOf, median, rate } from './statistics.ts'

/** Everything that a run has measured. */
export interface Results {
  readonly closed: readonly Sample[]
  readonly open: readonly OpenLoopSample[]
  readonly replicas: readonly ReplicaSample[]
  /** Contenders that were not run, with the reason. */
  readonly missing: ReadonlyMap<string, string>
}

/** One thing that is to hold, as a ratio of two things measured in the same run. */
export interface Ratio {
  /** The point it belongs to, by its number. */
  readonly point: string
  readonly what: string
  /** One a turn; none where one of the two was not measured. */
  readonly measured: readonly number[]
  readonly bound: number
  readonly limit: 'at most' | 'at least'
}

export function isMet({ measured, bound, limit }: Ratio): boolean | undefined {
  if (measured.length === 0) return undefined
  return limit === 'at most' ? median(measured) <= bound : median(measured) >= bound
}

export function ratiosOf({ closed, open, replicas }: Results): readonly Ratio[] {
  return [
    ...costs(closed),
    ...speeds(closed),
    ...openLoop(open),
    ...extras(closed),
    ...replicaCosts(replicas),
    ...clients(closed),
  ]
}

type Figure = (sample: Sample) => number

interface Pair {
  readonly above: string
  readonly below: string
  readonly level: number
  readonly figure: Figure
}

/** Of the same turn, so that what slows the machine down for a while slows both down. */
function paired(samples: readonly Sample[], { above, below, level, figure }: Pair): readonly number[] {
  const find = (name: string, turn: string) =>
    samples.find((each) => each.contender === name && each.level === level && turnOf(each) === turn)
  return turnsOf(samples).flatMap((turn) => {
    const [over, under] = [find(above, turn), find(below, turn)]
    const isThere = over !== undefined && under !== undefined && over.calls > 0 && under.calls > 0
    return isThere ? [figure(over) / figure(under)] : []
  })
}

function turnsOf(samples: readonly Sample[]): readonly string[] {
  return [...new Set(samples.map(turnOf))]
}

function turnOf({ round, turn }: Sample): string {
  return `${round}.${turn}`
}

function costs(closed: readonly Sample[]): readonly Ratio[] {
  return [
    { above: REFERENCE, name: 'gateway' },
    { above: WITH_STATEFLOW, name: 'gateway with StateFlow’s events' },
  ].flatMap(({ above, name }) => {
    const row = (below: string, level: number, bound: number): Ratio => ({
      ...{ point: '1', what: `CPU a call, ${name} ÷ ${below}, ${level} under way`, bound, limit: 'at most' },
      measured: paired(closed, { above, below, level, figure: cpuOf }),
    })
    return [row('echo', 256, 2.2), row('echo', 64, 3.3), row('minimal', 256, 1.15), row('minimal', 64, 1.15)]
  })
}

function speeds(closed: readonly Sample[]): readonly Ratio[] {
  const row = (below: string, level: number, bound: number): Ratio => ({
    ...{ point: '2', what: `calls/s, gateway ÷ ${below}, ${level} under way`, bound, limit: 'at least' },
    measured: paired(closed, { above: REFERENCE, below, level, figure: rate }),
  })
  return [
    ...[row('nest', 256, 5), row('kafka-hooks', 256, 8), row('spring', 256, 2.2), row('restate', 256, 6)],
    ...[row('zilla', 256, 10), row('nest', 64, 3), row('spring', 64, 1.8)],
    {
      ...{ point: '2', what: 'calls/s, gateway by pickle ÷ fastapi, 256 under way', bound: 20, limit: 'at least' },
      measured: paired(closed, { above: 'gateway-pickle', below: 'fastapi', level: 256, figure: rate }),
    },
    {
      ...{
        point: '2',
        what: 'p50, gateway with StateFlow’s events ÷ raw round trip, one call at a time',
        bound: 1.5,
        limit: 'at most',
      },
      measured: paired(closed, {
        above: WITH_STATEFLOW,
        below: 'raw-platformatic',
        level: 1,
        figure: ({ p50Us }) => p50Us,
      }),
    },
    ...[256, 64].map(
      (level): Ratio => ({
        ...{ point: '3', what: `calls/s, embedded ÷ echo, ${level} under way`, bound: 0.6, limit: 'at least' },
        measured: paired(closed, { above: 'embedded', below: 'echo', level, figure: rate }),
      }),
    ),
  ]
}

function openLoop(open: readonly OpenLoopSample[]): readonly Ratio[] {
  const own = open.filter(({ contender, plan }) => contender === REFERENCE && plan.name === '70 %')
  const seconds = Math.round(own.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0) / 1_000)
  return [
    {
      ...{ point: '4', what: 'p99 ÷ p50, gateway at 70 % of its maximum', bound: 10, limit: 'at most' },
      measured: own.map(({ p50Us, p99Us }) => p99Us / p50Us),
    },
    {
      ...{ point: '4', what: `calls over 250 ms outside a marked pause, in ${seconds} s`, bound: 0, limit: 'at most' },
      measured: own.length === 0 ? [] : [own.reduce((sum, sample) => sum + unexplained(sample), 0)],
    },
  ]
}

export function unexplained({ slow, pauses }: OpenLoopSample): number {
  return slow.filter((call) => blame(call, { ...pauses }) === undefined).length
}

function extras(closed: readonly Sample[]): readonly Ratio[] {
  const row = (above: string, level: number, bound: number): Ratio => ({
    ...{ point: '5', what: `CPU a call, ${above} ÷ ${WITH_STATEFLOW}, ${level} under way`, bound, limit: 'at most' },
    measured: paired(closed, { above, below: WITH_STATEFLOW, level, figure: cpuOf }),
  })
  return [256, 64].flatMap((level) => [
    row('gateway-tracing', level, 1.15),
    row('gateway-tracing-tenth', level, 1.15),
    row('gateway-access-log', level, 1.2),
    row('gateway-jwt', level, 1.15),
  ])
}

function replicaCosts(replicas: readonly ReplicaSample[]): readonly Ratio[] {
  const find = (turn: string, count: number, reading: string) =>
    replicas.find((each) => turnOf(each) === turn && each.replicas === count && each.reading === reading)
  const row = (what: string, [eight, one]: readonly [string, string], bound: number): Ratio => ({
    ...{ point: '6', what: `CPU a call, eight replicas ÷ one, ${what}`, bound, limit: 'at most' },
    measured: turnsOf(replicas).flatMap((turn) => {
      const [many, single] = [find(turn, 8, eight), find(turn, 1, one)]
      const isThere = many !== undefined && single !== undefined && many.calls > 0 && single.calls > 0
      return isThere ? [cpuOf(many) / cpuOf(single)] : []
    }),
  })
  return [
    row('replies without a key', ['unkeyed', 'unkeyed'], 2),
    row('replies keyed by the id, each reads its own', ['own', 'all'], 1.2),
  ]
}

/** What the README says of the two Kafka clients. */
function clients(closed: readonly Sample[]): readonly Ratio[] {
  return [64].map((level) => ({
    ...{
      point: 'README',
      what: `CPU a call, kafkajs ÷ platformatic, ${level} under way`,
      bound: 1.5,
      limit: 'at least',
    },
    measured: paired(closed, { above: 'gateway-kafkajs', below: WITH_STATEFLOW, level, figure: cpuOf }),
  }))
}
