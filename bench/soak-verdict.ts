import type { LeftOver } from './left-over.ts'
import type { Measured } from './load.ts'

export interface SoakSample extends LeftOver {
  readonly atMs: number
}

export interface Soaked {
  readonly name: string
  readonly connections: number
  readonly capacity: number
  readonly rate: number
  readonly measured: Measured
  readonly reloads: Readonly<Record<string, number>>
  /** The first few minutes are the compiler's and the caches'; they are left out. */
  readonly samples: readonly SoakSample[]
}

export interface Verdict {
  readonly what: string
  readonly passed: boolean
  readonly figures: string
}

const MIB = 1_048_576
/** A slope within so many of its standard errors is taken for none. */
const STANDARD_ERRORS = 3
/** Nor is growth by less than this share of the heap, over the whole run. */
const NEGLIGIBLE = 0.02

export function verdictsOf({ measured, reloads, samples, connections }: Soaked): readonly Verdict[] {
  const { calls, errors, firstError } = measured
  const swapped = reloads.swapped ?? 0
  const all = Object.values(reloads).reduce((sum, count) => sum + count, 0)
  const trouble = firstError === undefined ? '' : `, the first: ${firstError.split('\r\n')[0]}`
  return [
    { what: 'calls', passed: errors === 0 && calls > 0, figures: `${calls} answered, ${errors} errors${trouble}` },
    { what: 'reloads', passed: swapped === all && all > 0, figures: `${swapped} of ${all} swapped` },
    heapVerdict(samples),
    // Sockets of callers come and go; one a connection, and what the runtime has of its own.
    growth(
      'timers',
      samples.map(({ timers }) => timers),
      connections,
    ),
    growth(
      'handles',
      samples.map(({ handles }) => handles),
      connections,
    ),
    growth(
      'listeners',
      samples.map(({ listeners }) => listeners),
      0,
    ),
  ]
}

function heapVerdict(samples: readonly SoakSample[]): Verdict {
  const { slope, error } = slopeOf(samples.map(({ atMs, heapBytes }) => [atMs, heapBytes] as const))
  const [first, last] = [samples[0], samples.at(-1)]
  const spanMs = (last?.atMs ?? 0) - (first?.atMs ?? 0)
  const perMinute = (bytesPerMs: number) => `${((bytesPerMs * 60_000) / MIB).toFixed(3)} MiB a minute`
  const grown = (slope * spanMs) / (first?.heapBytes ?? 1)
  return {
    what: 'heap',
    passed: samples.length > 2 && (slope <= STANDARD_ERRORS * error || grown < NEGLIGIBLE),
    figures: `${((first?.heapBytes ?? 0) / MIB).toFixed(1)} MiB at first, ${((last?.heapBytes ?? 0) / MIB).toFixed(1)} at last; slope ${perMinute(slope)}, standard error ${perMinute(error)}, ${samples.length} samples`,
  }
}

/** The last third may not have more than the first third ever had, but for what callers come and go with. */
function growth(what: string, counts: readonly number[], allowed: number): Verdict {
  const third = Math.max(1, Math.floor(counts.length / 3))
  const before = Math.max(...counts.slice(0, third))
  const after = Math.min(...counts.slice(-third))
  return { what, passed: after <= before + allowed, figures: `at most ${before} at first, at least ${after} at last` }
}

/** Least squares. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): {
  readonly slope: number
  readonly error: number
} {
  const count = points.length
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const residue = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  return { slope, error: Math.sqrt(residue / Math.max(1, count - 2) / spread) }
}
