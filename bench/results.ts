import type { ContenderKind } from './contender.ts'
import type { Machine } from './machine.ts'
import { renderTable } from './markdown-table.ts'
import type { Costs, Sample } from './measure.ts'
import { renderOpenLoops } from './open-loop-table.ts'
import type { BenchOptions } from './options.ts'
import { describePace } from './pace.ts'
import type { Results } from './ratios.ts'
import { renderRatios } from './ratios-table.ts'
import { renderReplicas } from './replicas-table.ts'
import { cpuOf, median, rate, spread } from './statistics.ts'

export interface Report {
  readonly machine: Machine
  readonly options: BenchOptions
  readonly kinds: readonly ContenderKind[]
  /** How long the run took. */
  readonly minutes: number
}

/** Samples of all rounds → text that is a table in a terminal and in Markdown alike. */
export function renderResults(results: Results, { machine, options, kinds, minutes }: Report): string {
  const { closed, open, replicas } = results
  const levels = [...new Set(closed.map(({ level }) => level))].sort((one, other) => one - other)
  return [
    ...INTRODUCTION,
    `Medians of ${options.rounds * options.turns} windows of ${options.windowMs / 1_000} s, with min..max: ${options.rounds} rounds, which start each program anew and warm it up, so that medians are over`,
    `processes too; and ${options.turns} turns in each, in which those that are compared are measured one right after the other, while the others of them have`,
    "nothing to do; twice as many of a gateway with which two groups are compared. CPU is the contender's own processes', per 1,000 calls;",
    '*others* is load generator / worker / broker. The worker answers without computing anything.',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    `- Topics: ${options.partitions} partitions, one replica`,
    ...renderPace([...closed, ...open, ...replicas]),
    `- The run took ${minutes.toFixed(0)} minutes`,
    '',
    ...levels.flatMap((level) => [...renderLevel(results, { level, kinds }), '']),
    ...renderProcesses(closed),
    ...renderOpenLoops(open),
    ...(replicas.length === 0 ? [] : [renderReplicas(replicas)]),
    ...renderRatios(results, { isWhole: options.replicas === 'too' }),
  ].join('\n')
}

function renderPace(samples: readonly Costs[]): readonly string[] {
  const paces = samples.flatMap(({ pace }) => pace ?? [])
  return paces.length === 0 ? [] : [`- The machine’s pace: ${describePace(paces)}`]
}

const INTRODUCTION = [
  '# Benchmark results',
  '',
  'Written by `npm run bench`. Every contender does the same work: `POST /user/{key}/buy_item` with a small JSON body over',
  '1,000 keys, in a closed loop. All on one machine, load included: the rows compare with each other, not with other machines.',
  '',
  '- `echo` is bare Fastify, `raw-*` the gateway’s own Kafka transport by a client, with StateFlow’s JSON and without HTTP,',
  '  `raw-endpoint` HTTP to StateFun’s functions alone.',
  '- `gateway-*` is the gateway over Kafka, all defaults on: by its client with StateFlow’s JSON, and by the default client in another dialect or',
  '  with something switched on: spans of every call, or of each tenth, made and gathered and then dropped; a line for each request, to /dev/null;',
  '  a JWT with each call.',
  '- `embedded` is the gateway on its own runtime. `*batch*` makes the same calls in one endless batch, 1,000 of them under way.',
  '- `minimal` is the least program that does the work with the same libraries, without any protection.',
  '- The gateway’s own process runs with the flags that `serve` sets for V8, all others with those of their makers.',
  '- `nest` (ClientKafka), `spring` (ReplyingKafkaTemplate), `kafka-hooks` and `zilla` are other ways from HTTP to Kafka and back; `fastapi` is StateFlow’s own',
  '  client; `restate` keeps calls in a log of its own, in place of Kafka and the worker.',
  '',
  '*× below* compares a gateway with the round trip by its client, a variant with the plain gateway, a batch with the same gateway’s single calls.',
  '',
]

const HEADINGS = [
  ...[
    'contender',
    'calls/s',
    '× echo',
    '× below',
    'p50 ms',
    'p99 ms',
    'CPU ms/1k',
    'others ms/1k',
    'worker’s share of a core',
    'RSS MB',
    'errors',
  ],
]

interface Level {
  readonly level: number
  readonly kinds: readonly ContenderKind[]
}

function renderLevel({ closed, missing }: Results, { level, kinds }: Level): readonly string[] {
  const at = (contender: string) => closed.filter((each) => each.contender === contender && each.level === level)
  const rows = kinds.flatMap(({ name, floor }) => {
    const own = at(name)
    const isSilent = own.length > 0 && own.every(({ calls }) => calls === 0)
    const reason = missing.get(name) ?? (isSilent ? 'it stood still: no call was answered in any window' : undefined)
    if (reason !== undefined) return [[name, `not run: ${reason}`]]
    return own.length === 0
      ? []
      : [renderRow(name, own, { echo: at('echo'), below: floor === undefined ? [] : at(floor) })]
  })
  const title = level === 1 ? '## One call at a time' : `## ${level} calls under way`
  const ran = rows.filter((row) => row.length > 2)
  const notes = rows.filter((row) => row.length === 2).map(([name, reason]) => `| ${name} | ${reason} |`)
  return [title, '', ...renderTable([HEADINGS, ...ran]), ...notes]
}

interface Floors {
  readonly echo: readonly Sample[]
  readonly below: readonly Sample[]
}

/** Of windows in which nothing was answered, their number and no more. */
function renderRow(name: string, all: readonly Sample[], floors: Floors): readonly string[] {
  const own = all.filter(({ calls }) => calls > 0)
  const perThousand = (pick: (sample: Sample) => number) => (sample: Sample) => pick(sample) / (sample.calls / 1_000)
  const ms = (pick: (sample: Sample) => number) =>
    spread(
      own.map((sample) => pick(sample) / 1_000),
      2,
    )
  const others = [
    perThousand(({ loadCpuMs }) => loadCpuMs),
    perThousand(({ workerCpuMs }) => workerCpuMs),
    perThousand(({ brokerCpuMs }) => brokerCpuMs),
  ]
  const errors = all.reduce((sum, sample) => sum + sample.errors, 0)
  const workerShare = median(own.map(({ workerCpuMs, elapsedMs }) => workerCpuMs / elapsedMs))
  const silent = all.length - own.length
  return [
    [
      name,
      ...(errors > 0 ? ['**errors**'] : []),
      ...(silent > 0 ? [`**silent in ${silent} of ${all.length}**`] : []),
    ].join(' '),
    spread(all.map(rate), 0),
    ratio(all, floors.echo),
    ratio(all, floors.below),
    ms(({ p50Us }) => p50Us),
    ms(({ p99Us }) => p99Us),
    spread(own.map(cpuOf), 1),
    others.map((pick) => median(own.map(pick)).toFixed(0)).join(' / '),
    `${Math.round(workerShare * 100)} %`,
    (median(own.map(({ rssBytes }) => rssBytes)) / 1_048_576).toFixed(0),
    String(errors),
  ]
}

function ratio(own: readonly Sample[], floor: readonly Sample[]): string {
  return floor.length === 0 || own === floor ? '' : (median(own.map(rate)) / median(floor.map(rate))).toFixed(2)
}

/** Of contenders that are several programs. */
function renderProcesses(closed: readonly Sample[]): readonly string[] {
  const kinds = closed.flatMap(({ contender, level, processes }) =>
    processes.map(({ process }) => `${contender} ${process} ${level}`),
  )
  const rows = [...new Set(kinds)].map((kind) => {
    const [contender = '', name, level] = kind.split(' ')
    const own = closed.filter((each) => each.contender === contender && String(each.level) === level)
    const costs = own.flatMap((each) =>
      each.processes.filter(({ process }) => process === name).map((one) => ({ ...one, calls: each.calls })),
    )
    const rssMb = median(costs.map(({ rssBytes }) => rssBytes)) / 1_048_576
    return [`${contender} ${name}`, level ?? '', spread(costs.map(cpuOf), 1), rssMb.toFixed(0)]
  })
  const title = '## Contenders of several processes'
  return rows.length === 0
    ? []
    : [title, '', ...renderTable([['process', 'under way', 'CPU ms/1k', 'RSS MB'], ...rows]), '']
}
