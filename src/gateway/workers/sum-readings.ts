import type { MetricDefinition } from '../observability/metric-definition.ts'
import type { CellReading, MetricReading } from '../observability/metric-reading.ts'

/** What one process of several has counted. */
export interface ProcessReadings {
  /** The label `worker` of what is shown for each of them. */
  readonly worker: string
  readonly readings: readonly MetricReading[]
}

/**
 * One page of several processes: counters, histograms and gauges are added up, the least counts where a metric says so, and what
 * belongs to a process gets the label `worker`.
 */
export function sumReadings(pages: readonly ProcessReadings[]): readonly MetricReading[] {
  const sums = new Map<string, { readonly definition: MetricDefinition; readonly cells: Cells }>()
  for (const { worker, readings } of pages) {
    for (const reading of readings.map((one) => withWorker(one, worker))) {
      const { definition, cells } = reading
      const sum = sums.get(definition.name) ?? { definition, cells: new Map<string, CellReading>() }
      sums.set(definition.name, sum)
      for (const cell of cells) take(sum.cells, cell, definition.together === 'least' ? least : added)
    }
  }
  return [...sums.values()].map(({ definition, cells }) => ({ definition, cells: [...cells.values()] }))
}

/** What belongs to a process says to which. */
function withWorker(reading: MetricReading, worker: string): MetricReading {
  const { definition, cells } = reading
  if (definition.together !== 'each') return reading
  return {
    definition: { ...definition, labels: ['worker', ...definition.labels] },
    cells: cells.map((cell) => ({ ...cell, labels: [worker, ...cell.labels] })),
  }
}

/** Of a process that has ended, its counters stay: to a scraper, a sum that falls has begun anew. */
export function lastingReadings(readings: readonly MetricReading[]): readonly MetricReading[] {
  return readings.filter(({ definition: { kind, together } }) => kind !== 'gauge' && together === undefined)
}

type Cells = Map<string, CellReading>
type Join = (one: CellReading, other: CellReading) => CellReading

function take(cells: Cells, cell: CellReading, join: Join): void {
  const name = cell.labels.join('\0')
  const known = cells.get(name)
  cells.set(name, known === undefined ? cell : join(known, cell))
}

function added(one: CellReading, other: CellReading): CellReading {
  if (one.kind === 'number' && other.kind === 'number') return { ...one, value: one.value + other.value }
  if (one.kind !== 'histogram' || other.kind !== 'histogram') return one
  const buckets = one.buckets.map(([bound, upTo], index) => [bound, upTo + (other.buckets[index]?.[1] ?? 0)] as const)
  return { ...one, buckets, sum: one.sum + other.sum, count: one.count + other.count }
}

function least(one: CellReading, other: CellReading): CellReading {
  return one.kind === 'number' && other.kind === 'number' && other.value < one.value ? other : one
}
