import { Histogram } from './histogram.ts'
import type { MetricDefinition } from './metric-definition.ts'
import { type CellReading, type MetricReading, metricText } from './metric-reading.ts'

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
  /** All numbers as they are now. */
  read(): readonly MetricReading[]
  /** Prometheus's text format, 0.0.4. */
  text(): string
}

export const METRICS_MEDIA_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Label sets that one metric may have: they come from metadata, so this is never reached by callers, and holds all the same. */
const MAX_CELLS = 20_000
/** Stands for every label of what came after that. */
const OVERFLOW = '_other'

export function createMetricPage(): MetricPage {
  const sections: (() => MetricReading)[] = []
  const numbers = new Map<string, Family<Cell>>()
  const histograms = new Map<string, Family<Histogram>>()

  function family<T>(
    definition: MetricDefinition,
    make: () => T,
    read: (cell: T, labels: readonly string[]) => CellReading,
  ): Family<T> {
    const cells = new Map<string, { readonly cell: T; readonly labels: readonly string[] }>()
    sections.push(() => ({ definition, cells: [...cells.values()].map(({ cell, labels }) => read(cell, labels)) }))
    return {
      cell(...values) {
        const known = cells.get(values.join('\0'))
        if (known !== undefined) return known.cell
        const used = cells.size < MAX_CELLS ? values : definition.labels.map(() => OVERFLOW)
        const made = { cell: make(), labels: used }
        const name = used.join('\0')
        if (!cells.has(name)) cells.set(name, made)
        return cells.get(name)?.cell ?? made.cell
      },
    }
  }

  const read = () => sections.map((section) => section())
  return {
    numbers: (definition) =>
      known(numbers, definition, () =>
        family<Cell>(
          definition,
          () => ({ value: 0 }),
          ({ value }, labels) => ({ kind: 'number', labels, value }),
        ),
      ),
    histogram: (definition) =>
      known(histograms, definition, () =>
        family<Histogram>(
          definition,
          () => new Histogram(definition.buckets ?? []),
          ({ buckets, sum, count }, labels) => ({ kind: 'histogram', labels, buckets: buckets(), sum, count }),
        ),
      ),
    ask(definition, ask) {
      const readCell = ([value, ...labels]: Sample): CellReading => ({ kind: 'number', labels, value })
      sections.push(() => ({ definition, cells: Array.from(ask(), readCell) }))
    },
    read,
    text: () => metricText(read()),
  }
}

/** A metric is asked for again when entities are loaded anew, and goes on counting. */
function known<T>(families: Map<string, Family<T>>, { name }: MetricDefinition, make: () => Family<T>): Family<T> {
  const found = families.get(name) ?? make()
  families.set(name, found)
  return found
}
