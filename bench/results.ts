import { contenderKinds } from './contender.ts'
import type { Machine } from './machine.ts'
import type { Sample } from './measure.ts'
import type { BenchOptions } from './options.ts'

/** Samples of all rounds → text that is a table in a terminal and in Markdown alike. */
export function renderResults(samples: readonly Sample[], machine: Machine, options: BenchOptions): string {
  const levels = [...new Set(samples.map(({ level }) => level))]
  return [
    '# Benchmark results',
    '',
    'Written by `npm run bench`. Every contender does the same work: `POST /user/{key}/buy_item` with a small JSON body over',
    '1,000 keys, in a closed loop. `echo` is bare Fastify, `embedded` the gateway on its own runtime, `gateway-*` the gateway',
    'over Kafka with that client, `raw-*` that client’s round trip without HTTP. `*batch*` makes the same calls in one endless',
    'batch, 1,000 of them under way whatever the level. *× below* compares a gateway with its client’s round trip, a batch with',
    'the same gateway’s single calls. All on one machine, load included: the rows compare with each other, not with other',
    'machines.',
    '',
    `Medians of ${options.rounds} interleaved rounds of ${options.windowMs / 1_000} s each, with min..max. CPU is the contender's own process, per 1,000 calls;`,
    '*others* is load generator / worker / broker. The worker answers without computing anything.',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    `- Topics: ${options.partitions} partitions, one replica`,
    '',
    ...levels.flatMap((level) => [...renderLevel(samples, level), '']),
  ].join('\n')
}

const HEADINGS = [
  'contender',
  'calls/s',
  '× echo',
  '× below',
  'p50 ms',
  'p99 ms',
  'CPU ms/1k',
  'others ms/1k',
  'RSS MB',
  'errors',
]

function renderLevel(samples: readonly Sample[], level: number): readonly string[] {
  const at = (contender: string) => samples.filter((each) => each.contender === contender && each.level === level)
  const rows = contenderKinds.flatMap(({ name, floor }) => {
    const own = at(name)
    return own.length === 0
      ? []
      : [renderRow(name, own, { echo: at('echo'), below: floor === undefined ? [] : at(floor) })]
  })
  const title = level === 1 ? '## One call at a time' : `## ${level} calls under way`
  return [title, '', ...renderTable([HEADINGS, ...rows])]
}

interface Floors {
  readonly echo: readonly Sample[]
  readonly below: readonly Sample[]
}

function renderRow(name: string, own: readonly Sample[], floors: Floors): readonly string[] {
  const perThousand = (pick: (sample: Sample) => number) => (sample: Sample) => pick(sample) / (sample.calls / 1_000)
  const others = [
    perThousand(({ loadCpuMs }) => loadCpuMs),
    perThousand(({ workerCpuMs }) => workerCpuMs),
    perThousand(({ brokerCpuMs }) => brokerCpuMs),
  ]
  const errors = own.reduce((sum, sample) => sum + sample.errors, 0)
  return [
    errors > 0 ? `${name} **errors**` : name,
    spread(own.map(rate), 0),
    ratio(own, floors.echo),
    ratio(own, floors.below),
    spread(
      own.map(({ p50Us }) => p50Us / 1_000),
      2,
    ),
    spread(
      own.map(({ p99Us }) => p99Us / 1_000),
      2,
    ),
    spread(own.map(perThousand(({ cpuMs }) => cpuMs)), 1),
    others.map((pick) => median(own.map(pick)).toFixed(0)).join(' / '),
    (median(own.map(({ rssBytes }) => rssBytes)) / 1_048_576).toFixed(0),
    String(errors),
  ]
}

export function rate({ calls, elapsedMs }: Sample): number {
  return calls / (elapsedMs / 1_000)
}

function ratio(own: readonly Sample[], floor: readonly Sample[]): string {
  return floor.length === 0 || own === floor ? '' : (median(own.map(rate)) / median(floor.map(rate))).toFixed(2)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}

export function spread(values: readonly number[], digits: number): string {
  const show = (value: number) => (digits === 0 ? Math.round(value).toLocaleString('en-US') : value.toFixed(digits))
  const range = `${show(Math.min(...values))}..${show(Math.max(...values))}`
  return values.length === 1 ? show(median(values)) : `${show(median(values))} (${range})`
}

export function renderTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0
      return column === 0 ? cell.padEnd(width) : cell.padStart(width)
    })
    return `| ${padded.join(' | ')} |`
  }
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [head = [], ...body] = rows
  return [line(head), line(rule), ...body.map(line)]
}
