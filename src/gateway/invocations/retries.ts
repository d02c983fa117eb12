import { atMost } from '../../entity-registry/at-most.ts'

/** Writes that a store could not take when they came, or of which it is not known whether it did: tried again until they work. */
export interface Retries {
  /**
   * Rejects as `write` did last, when the patience is over, too many wait already, or at the end.
   * @param write is harmless when it is done twice
   * @param bytes that it holds while it waits
   */
  run<T>(write: () => Promise<T>, bytes?: number): Promise<T>
  /** One last attempt for each that waits, which may hold up the end for half a second. */
  close(): Promise<void>
}

export interface RetryLimits {
  /** Milliseconds for which a write is tried. */
  readonly patienceMs: number
  /** Writes that wait at once; further ones fail as the store does. */
  readonly maxWaiting: number
  /** Bytes of such writes; default: any number. */
  readonly maxBytes?: number
}

/** Milliseconds between two attempts. */
const RETRY_MS = 500
/** Milliseconds for the last attempts. */
const LAST_ATTEMPTS_MS = 500

export function createRetries(limits: RetryLimits): Retries {
  const { patienceMs, maxWaiting, maxBytes = Number.POSITIVE_INFINITY } = limits
  const waiting = new Set<() => void>()
  /** Of writes that have failed and are tried again, whether they wait or are under way. */
  const held = { writes: 0, bytes: 0 }
  const underWay = new Set<Promise<unknown>>()
  let isClosed = false

  /** One timer for all: writes that wait are tried together. */
  let timer: NodeJS.Timeout | undefined
  function wakeAll(): void {
    timer = undefined
    const all = [...waiting]
    waiting.clear()
    for (const wake of all) wake()
  }

  function hasRoomFor(bytes: number): boolean {
    return held.writes < maxWaiting && held.bytes + bytes <= maxBytes
  }

  function hold(writes: 1 | -1, bytes: number): void {
    held.writes += writes
    held.bytes += writes * bytes
  }

  function pause(): Promise<void> {
    timer ??= setTimeout(wakeAll, RETRY_MS).unref()
    return new Promise((resolve) => waiting.add(resolve))
  }

  async function tryAgain<T>(write: () => Promise<T>, bytes: number): Promise<T> {
    const untilMs = performance.now() + patienceMs
    try {
      return await write()
    } catch (error) {
      if (isClosed || performance.now() >= untilMs || !hasRoomFor(bytes)) throw error
    }
    hold(1, bytes)
    try {
      return await untilDone(write, untilMs)
    } finally {
      hold(-1, bytes)
    }
  }

  async function untilDone<T>(write: () => Promise<T>, untilMs: number): Promise<T> {
    for (;;) {
      await pause()
      try {
        return await write()
      } catch (error) {
        if (isClosed || performance.now() >= untilMs) throw error
      }
    }
  }

  return {
    run(write, bytes = 0) {
      const done = tryAgain(write, bytes)
      const settled: Promise<unknown> = done
        .catch(() => undefined)
        .finally(() => {
          underWay.delete(settled)
        })
      underWay.add(settled)
      return done
    },
    async close() {
      isClosed = true
      clearTimeout(timer)
      wakeAll()
      await atMost(LAST_ATTEMPTS_MS, Promise.all(underWay))
    },
  }
}
