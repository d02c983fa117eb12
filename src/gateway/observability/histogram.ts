/** How often values fell between bounds. */
export class Histogram {
  readonly #bounds: readonly number[]
  /** One more than there are bounds: the last is without one. */
  readonly #counts: Float64Array
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let index = 0
    for (; index < bounds.length; index++) {
      const bound = bounds[index]
      if (bound !== undefined && value <= bound) break
    }
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sum += value
    this.#count++
  }

  get sum(): number {
    return this.#sum
  }

  get count(): number {
    return this.#count
  }

  /** Each bound with the number of values up to it; the last bound is infinity. */
  readonly buckets = (): readonly (readonly [bound: number, upTo: number])[] => {
    let upTo = 0
    return [...this.#bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
      upTo += this.#counts[index] ?? 0
      return [bound, upTo]
    })
  }
}
