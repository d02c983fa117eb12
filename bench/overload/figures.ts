import type { Measured, Seen } from './open-load.ts'

/** What a phase was like for its callers. */
export interface Figures {
  readonly goodPerSecond: number
  readonly refusedPerSecond: number
  /** Neither 200 nor 503. */
  readonly failed: number
  /** How many by status, 0 being no answer. */
  readonly statuses: Readonly<Record<number, number>>
  readonly unsent: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export function figuresOf({ seen, unsent, seconds }: Measured, isWanted: (one: Seen) => boolean = () => true): Figures {
  const wanted = seen.filter(isWanted)
  const good = wanted.filter(isGood)
  return {
    goodPerSecond: good.length / seconds,
    refusedPerSecond: wanted.filter(({ status }) => status === 503).length / seconds,
    failed: wanted.filter(({ status }) => status !== 200 && status !== 503).length,
    statuses: countedBy(wanted),
    unsent,
    p50Ms: percentile(good, 50),
    p99Ms: percentile(good, 99),
  }
}

function countedBy(seen: readonly Seen[]): Readonly<Record<number, number>> {
  return Object.fromEntries([...Map.groupBy(seen, ({ status }) => status)].map(([status, all]) => [status, all.length]))
}

function isGood({ status }: Seen): boolean {
  return status === 200
}

export function percentile(seen: readonly Seen[], rank: number): number {
  const sorted = seen.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? 0
}

/** Seconds until every second has answers, all of them good and as quick as `p99Ms` again; infinite when that never comes. */
export function recoverySeconds({ seen, startedAtMs, seconds }: Measured, p99Ms: number): number {
  const bySecond = Map.groupBy(seen, ({ dueAtMs }) => Math.floor((dueAtMs - startedAtMs) / 1_000))
  let last = -1
  for (let second = 0; second < seconds; second++) {
    const all = bySecond.get(second) ?? []
    if (all.length === 0 || all.some((one) => !isGood(one)) || percentile(all, 99) > p99Ms) last = second
  }
  return last + 1 >= seconds ? Number.POSITIVE_INFINITY : last + 1
}
