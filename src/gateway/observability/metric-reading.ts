import type { MetricDefinition } from './metric-definition.ts'

/** The numbers of one metric at one moment: plain data, so that it can travel between processes. */
export interface MetricReading {
  readonly definition: MetricDefinition
  readonly cells: readonly CellReading[]
}

export type CellReading =
  | { readonly kind: 'number'; readonly labels: readonly string[]; readonly value: number }
  | {
      readonly kind: 'histogram'
      readonly labels: readonly string[]
      /** Each bound with the number of values up to it; the last bound is infinity. */
      readonly buckets: readonly (readonly [bound: number, upTo: number])[]
      readonly sum: number
      readonly count: number
    }

/** Prometheus's text format, 0.0.4. */
export function metricText(readings: readonly MetricReading[]): string {
  return readings.map(({ definition, cells }) => section(definition, cells)).join('')
}

function section(definition: MetricDefinition, cells: readonly CellReading[]): string {
  const { name, kind, help } = definition
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${kind}\n${cells.map((cell) => cellText(definition, cell)).join('')}`
}

function cellText({ name, labels: names }: MetricDefinition, cell: CellReading): string {
  const labels = labelText(names, cell.labels)
  if (cell.kind === 'number') return line(name, labels, cell.value)
  const before = labels === '' ? '' : `${labels},`
  let text = ''
  for (const [bound, upTo] of cell.buckets) text += line(`${name}_bucket`, `${before}le="${numberText(bound)}"`, upTo)
  return text + line(`${name}_sum`, labels, cell.sum) + line(`${name}_count`, labels, cell.count)
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}\n`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((label, index) => `${label}="${escapeValue(values[index] ?? '')}"`).join(',')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
