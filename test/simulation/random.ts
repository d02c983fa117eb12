/** Numbers that are the same for the same seed (mulberry32). */
export interface Random {
  /** 0 ≤ x < 1 */
  fraction(): number
  /** from ≤ n ≤ to */
  integer(from: number, to: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly [T, ...T[]]): T
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (from: number, to: number): number => from + Math.floor(fraction() * (to - from + 1))
  return {
    fraction,
    integer,
    chance: (probability) => fraction() < probability,
    pick: (from) => from[integer(0, from.length - 1)] ?? from[0],
  }
}
