/** How many calls are under way, where a call that is not answered for too long no longer counts. */
export interface CallsUnderWay {
  readonly size: number
  /** @returns what `end` is told */
  begin(nowMs: number): number
  end(second: number): void
  /** Forgets calls that have waited too long: their replies may be lost, and would hold their places for ever. */
  sweep(nowMs: number): void
}

/** By the second in which they began, so that one small number is all that a call keeps. */
export function createCallsUnderWay(forgetAfterMs: number): CallsUnderWay {
  const bySecond = new Map<number, number>()
  let size = 0
  return {
    get size() {
      return size
    },
    begin(nowMs) {
      const second = Math.floor(nowMs / 1_000)
      bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
      size++
      return second
    },
    end(second) {
      const count = bySecond.get(second)
      if (count === undefined) return
      size--
      if (count === 1) bySecond.delete(second)
      else bySecond.set(second, count - 1)
    },
    sweep(nowMs) {
      for (const [second, count] of bySecond) {
        if ((second + 1) * 1_000 + forgetAfterMs > nowMs) continue
        size -= count
        bySecond.delete(second)
      }
    },
  }
}
