import type { Target } from '../../runtime-adapters/contract.ts'
import { memberOf } from '../observability/call-metrics.ts'

/** What a method takes when nothing is in its way. */
export interface Baseline {
  youngMs: number
  oldMs: number
}

/** Methods are compared with themselves: a slow one is no congestion. */
export interface LatencyBaselines {
  of(target: Target): Baseline
  /** Begins a new period; the shortest latency of the one before holds until the next. */
  rotate(): void
}

/** By names, which come from metadata and outlive a reload of it. */
export function createLatencyBaselines(): LatencyBaselines {
  const all: Baseline[] = []
  const byKind = new Map<Target['kind'], Map<string, Map<string, Baseline>>>()
  return {
    of(target) {
      const { kind, entity } = target
      const member = memberOf(target)
      const known = byKind.get(kind)?.get(entity.name)?.get(member)
      if (known !== undefined) return known
      const made: Baseline = { youngMs: Number.POSITIVE_INFINITY, oldMs: Number.POSITIVE_INFINITY }
      all.push(made)
      const byEntity = byKind.get(kind) ?? new Map<string, Map<string, Baseline>>()
      byKind.set(kind, byEntity)
      byEntity.set(entity.name, (byEntity.get(entity.name) ?? new Map<string, Baseline>()).set(member, made))
      return made
    },
    rotate() {
      for (const baseline of all) {
        // What was not called has nothing newer to say.
        if (baseline.youngMs === Number.POSITIVE_INFINITY) continue
        baseline.oldMs = baseline.youngMs
        baseline.youngMs = Number.POSITIVE_INFINITY
      }
    },
  }
}

export function shortestMs({ youngMs, oldMs }: Baseline): number {
  return Math.min(youngMs, oldMs)
}
