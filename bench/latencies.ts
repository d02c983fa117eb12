/** Latencies of one measured window, exact to the microsecond: every one is kept. */
export interface Latencies {
  add(ms: number): void
  clear(): void
  readonly count: number
  /** Microseconds; 0 when there are none. */
  percentiles(...ranks: readonly number[]): readonly number[]
}

/** 256 MiB; a window with more calls than this is too long. */
const MAX_COUNT = 67_108_864

export function createLatencies(): Latencies {
  let micros = new Uint32Array(65_536)
  let count = 0
  return {
    add(ms) {
      if (count === micros.length) {
        if (count === MAX_COUNT) throw new Error('the measured window has too many calls; make it shorter')
        const larger = new Uint32Array(count * 2)
        larger.set(micros)
        micros = larger
      }
      micros[count++] = ms * 1_000
    },
    clear() {
      count = 0
    },
    get count() {
      return count
    },
    percentiles(...ranks) {
      const sorted = micros.slice(0, count).sort()
      return ranks.map((rank) => sorted[Math.max(0, Math.ceil((rank / 100) * count) - 1)] ?? 0)
    },
  }
}
