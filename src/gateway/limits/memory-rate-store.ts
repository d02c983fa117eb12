import type { Count, RateStore } from './rate-store.ts'

interface Bucket {
  calls: number
  readonly endsAtMs: number
}

export interface MemoryRateStoreOptions {
  readonly maxBuckets: number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/**
 * Counts of this process. Two generations, so that neither a timer nor a walk is needed to forget: a bucket that is not used while
 * half of all are new goes with its generation. Forgetting gives its caller more than his quota, and never less.
 */
export function createMemoryRateStore({
  maxBuckets,
  now,
}: MemoryRateStoreOptions): RateStore & { readonly size: number } {
  const clock = now ?? (() => performance.now())
  const perGeneration = Math.floor(maxBuckets / 2)
  let young = new Map<string, Bucket>()
  let old = new Map<string, Bucket>()

  function keep(name: string, bucket: Bucket): Bucket {
    if (young.size >= perGeneration) {
      old = young
      young = new Map()
    }
    young.set(name, bucket)
    return bucket
  }

  function find(name: string, nowMs: number, windowMs: number): Bucket {
    const known = young.get(name)
    if (known !== undefined && known.endsAtMs > nowMs) return known
    // Otherwise an over-full generation would push out itself.
    if (known !== undefined) young.delete(name)
    const aged = old.get(name)
    old.delete(name)
    return keep(name, aged !== undefined && aged.endsAtMs > nowMs ? aged : { calls: 0, endsAtMs: nowMs + windowMs })
  }

  return {
    count(name, { windowSeconds }): Count {
      const nowMs = clock()
      const windowMs = windowSeconds * 1_000
      const bucket = find(name, nowMs, windowMs)
      bucket.calls++
      // A sum that was rounded up must not make a second more of it.
      return { calls: bucket.calls, leftMs: Math.min(windowMs, bucket.endsAtMs - nowMs) }
    },
    start: async () => undefined,
    close() {
      young.clear()
      old.clear()
    },
    get size() {
      return young.size + old.size
    },
  }
}
