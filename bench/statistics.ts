/** What is made of the samples of several rounds. */

export interface Counted {
  readonly calls: number
  readonly elapsedMs: number
  readonly cpuMs: number
}

/** Calls a second. */
export function rate({ calls, elapsedMs }: Pick<Counted, 'calls' | 'elapsedMs'>): number {
  return calls / (elapsedMs / 1_000)
}

/** Milliseconds of CPU for 1,000 calls. */
export function cpuOf({ cpuMs, calls }: Pick<Counted, 'calls' | 'cpuMs'>): number {
  return cpuMs / (calls / 1_000)
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (low + high) / 2
}

/** `median (min..max)`. */
export function spread(values: readonly number[], digits: number): string {
  const show = (value: number) => (digits === 0 ? Math.round(value).toLocaleString('en-US') : value.toFixed(digits))
  const range = `${show(Math.min(...values))}..${show(Math.max(...values))}`
  return values.length === 1 ? show(median(values)) : `${show(median(values))} (${range})`
}
