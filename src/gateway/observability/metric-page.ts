import { Histogram } from './histogram.ts'
import type { MetricDefinition } from './metric-definition.ts'

/** A counter or gauge with its labels' values settled: the hot path adds to a number and does nothing else. */
export interface Cell {
  value: number
}

/** The numbers of one metric, by the values of its labels. */
export interface Family<T> {
  /** The cell of these values, in the order of the definition's labels; made at its first use. */
  cell(...values: readonly string[]): T
}

/** A number and the values of its labels, as it is at a scrape. */
export type Sample = readonly [value: number, ...labels: readonly string[]]

/** The page of one gateway. Metrics appear in the order in which they are made. */
export interface MetricPage {
  /** The same family for the same metric. */
  numbers(definition: MetricDefinition): Family<Cell>
  histogram(definition: MetricDefinition): Family<Histogram>
  /** Numbers that somebody else keeps: asked for at each scrape. */
  ask(definition: MetricDefinition, read: () => Iterable<Sample>): void
  /** Prometheus's text format, 0.0.4. */
  text(): string
}

export const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Label sets that one metric may have: they come from metadata, so this is never reached by callers, and holds all the same. */
const MAX_CELLS = 20_000
/** Stands for every label of what came after that. */
const OVERFLOW = '_other'

export function createMetricPage(): MetricPage {
  const sections: (() => string)[] = []
  const numbers = new Map<string, Family<Cell>>()
  const histograms = new Map<string, Family<Histogram>>()

  function family<T>(
    definition: MetricDefinition,
    make: () => T,
    write: (cell: T, labels: string) => string,
  ): Family<T> {
    const cells = new Map<string, { readonly cell: T; readonly labels: string }>()
    sections.push(() =>
      section(
        definition,
        [...cells.values()].map(({ cell, labels }) => write(cell, labels)),
      ),
    )
    return {
      cell(...values) {
        const known = cells.get(values.join('\0'))
        if (known !== undefined) return known.cell
        const used = cells.size < MAX_CELLS ? values : definition.labels.map(() => OVERFLOW)
        const made = { cell: make(), labels: labelText(definition, used) }
        const name = used.join('\0')
        if (!cells.has(name)) cells.set(name, made)
        return cells.get(name)?.cell ?? made.cell
      },
    }
  }

  return {
    numbers: (definition) =>
      known(numbers, definition, () =>
        family<Cell>(
          definition,
          () => ({ value: 0 }),
          ({ value }, labels) => line(definition.name, labels, value),
        ),
      ),
    histogram: (definition) =>
      known(histograms, definition, () =>
        family<Histogram>(
          definition,
          () => new Histogram(definition.buckets ?? []),
          (histogram, labels) => histogramLines(definition.name, labels, histogram),
        ),
      ),
    ask(definition, read) {
      sections.push(() =>
        section(
          definition,
          [...read()].map(([value, ...labels]) => line(definition.name, labelText(definition, labels), value)),
        ),
      )
    },
    text: () => sections.map((write) => write()).join(''),
  }
}

/** A metric is asked for again when entities are loaded anew, and goes on counting. */
function known<T>(families: Map<string, Family<T>>, { name }: MetricDefinition, make: () => Family<T>): Family<T> {
  const found = families.get(name) ?? make()
  families.set(name, found)
  return found
}

function section({ name, kind, help }: MetricDefinition, lines: readonly string[]): string {
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return `# HELP ${name} ${escaped}\n# TYPE ${name} ${kind}\n${lines.join('')}`
}

function histogramLines(name: string, labels: string, { buckets, sum, count }: Histogram): string {
  const before = labels === '' ? '' : `${labels},`
  let text = ''
  for (const [bound, upTo] of buckets()) text += line(`${name}_bucket`, `${before}le="${numberText(bound)}"`, upTo)
  return text + line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, count)
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}\n`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}

function labelText({ labels }: MetricDefinition, values: readonly string[]): string {
  return labels.map((label, index) => `${label}="${escapeValue(values[index] ?? '')}"`).join(',')
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
