import { memberOf } from '../../routes/target.ts'
import type { Target } from '../../runtime-adapters/contract.ts'

/** Of this period and of the one before. */
interface Shortest {
  youngMs: number
  oldMs: number
}

/** What a method takes when nothing is in its way. */
export interface Baseline {
  readonly done: Shortest
  /** Refusals may be much quicker than what is done. They are a measure only where nothing is. */
  readonly refused: Shortest
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
      const made: Baseline = { done: unknownYet(), refused: unknownYet() }
      all.push(made)
      const byEntity = byKind.get(kind) ?? new Map<string, Map<string, Baseline>>()
      byKind.set(kind, byEntity)
      byEntity.set(entity.name, (byEntity.get(entity.name) ?? new Map<string, Baseline>()).set(member, made))
      return made
    },
    rotate() {
      for (const { done, refused } of all) {
        age(done)
        age(refused)
      }
    },
  }
}

function unknownYet(): Shortest {
  return { youngMs: Number.POSITIVE_INFINITY, oldMs: Number.POSITIVE_INFINITY }
}

function age(shortest: Shortest): void {
  // What was not called has nothing newer to say.
  if (shortest.youngMs === Number.POSITIVE_INFINITY) return
  shortest.oldMs = shortest.youngMs
  shortest.youngMs = Number.POSITIVE_INFINITY
}

export function shortestMs({ done, refused }: Baseline): number {
  const doneMs = Math.min(done.youngMs, done.oldMs)
  return doneMs === Number.POSITIVE_INFINITY ? Math.min(refused.youngMs, refused.oldMs) : doneMs
}
