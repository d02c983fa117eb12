import type { Curve } from './curves.ts'
import type { Machine } from './machine.ts'
import { renderTable } from './markdown-table.ts'
import type { BenchOptions } from './options.ts'
import { cpuOf, rate, spread } from './statistics.ts'

export interface CurvesReport {
  readonly machine: Machine
  readonly options: BenchOptions
}

export function renderCurves(curves: readonly Curve[], { machine, options }: CurvesReport): string {
  return [
    '# How the cost of a call grows',
    '',
    'Written by `npm run bench -- --curves`. CPU is that of the gateway’s own process, in milliseconds for 1,000 calls, over Kafka with the default',
    `client and StateFlow’s JSON; medians of ${options.rounds} interleaved rounds of ${options.windowMs / 1_000} s each, with min..max in the tables.`,
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    '',
    ...curves.flatMap(renderCurve),
  ].join('\n')
}

function renderCurve({ file, title, xLabel, note, samples }: Curve): readonly string[] {
  const kinds = [...new Set(samples.map(({ line, x }) => `${line}\0${x}`))]
  const rows = kinds.map((kind) => {
    const own = samples.filter(({ line, x }) => `${line}\0${x}` === kind)
    const [line = '', x = ''] = kind.split('\0')
    const errors = own.reduce((sum, each) => sum + each.errors, 0)
    return [
      line,
      Number(x).toLocaleString('en-US'),
      spread(own.map(cpuOf), 1),
      spread(own.map(rate), 0),
      String(errors),
    ]
  })
  return [
    `## ${title}`,
    '',
    note,
    '',
    `![${title}](curves/${file}.svg)`,
    '',
    ...renderTable([['', xLabel, 'CPU ms/1k', 'calls/s', 'errors'], ...rows]),
    '',
  ]
}
