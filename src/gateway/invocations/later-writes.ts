/** Writes that the store could not take when they came, or of which it is not known whether it did. */
export interface LaterWrites {
  add(write: LaterWrite): void
  /** Tries them again, oldest first, until one fails. */
  flush(): Promise<void>
  readonly size: number
}

export interface LaterWrite {
  /** Of two with one name, the later counts. */
  readonly name: string
  /** Epoch milliseconds after which it is of no use. */
  readonly until: number
  /** Rejects when the store is still away. Harmless when it is done twice. */
  readonly write: () => Promise<unknown>
}

/** Writes that are tried side by side. */
const TOGETHER = 100

/** @param maxWrites that wait at once; further ones are dropped */
export function createLaterWrites(maxWrites: number): LaterWrites {
  const waiting = new Map<string, LaterWrite>()
  let flushing: Promise<void> | undefined

  async function tryOnce({ name, until, write }: LaterWrite): Promise<boolean> {
    try {
      if (until > Date.now()) await write()
      waiting.delete(name)
      return true
    } catch {
      return false
    }
  }

  async function flushAll(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.values()].slice(0, TOGETHER)
      const done = await Promise.all(batch.map(tryOnce))
      if (done.includes(false)) return
    }
  }

  return {
    add(write) {
      if (waiting.size < maxWrites || waiting.has(write.name)) waiting.set(write.name, write)
    },
    flush() {
      flushing ??= flushAll().finally(() => {
        flushing = undefined
      })
      return flushing
    },
    get size() {
      return waiting.size
    },
  }
}
