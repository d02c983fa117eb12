/** Milliseconds that an answer is kept at most while further ones of its turn come in. */
const MAX_KEPT_MS = 1

/**
 * Answers that are ready in one turn of the event loop go out together at its end. Whoever reads them is woken once, not once an answer:
 * to wake a process that sleeps costs more than to write to one that runs. Turns of long calls don't keep what is ready.
 * @param nowMs a clock that never goes back
 * @returns resolves when it is time to write the answer
 */
export function createGathering(nowMs: () => number = () => performance.now()): () => Promise<void> {
  let group: Group | undefined

  function end(ended: Group): void {
    if (group === ended) group = undefined
    ended.resolve()
  }

  return () => {
    if (group === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      group = { promise, resolve, sinceMs: nowMs() }
      setImmediate(end, group)
      return promise
    }
    const { promise, sinceMs } = group
    if (nowMs() - sinceMs > MAX_KEPT_MS) end(group)
    return promise
  }
}

interface Group {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly sinceMs: number
}
