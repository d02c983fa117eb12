import type { StoredAnswer } from '../../routes/invocation-store.ts'

/** Who waits in this process for an invocation to be finished, by its id. */
export interface Waiters {
  /** @returns the answer, or `undefined` after `ms` milliseconds, when `signal` aborts, or at `close` */
  wait(id: string, ms: number, signal?: AbortSignal): Promise<StoredAnswer | undefined>
  wake(id: string, answer: StoredAnswer): void
  readonly ids: IterableIterator<string>
  has(id: string): boolean
  close(): void
}

type Resolve = (answer: StoredAnswer | undefined) => void

export function createWaiters(): Waiters {
  const waiting = new Map<string, Set<Resolve>>()

  function drop(id: string, resolve: Resolve): void {
    const all = waiting.get(id)
    all?.delete(resolve)
    if (all?.size === 0) waiting.delete(id)
  }

  return {
    wait(id, ms, signal) {
      if (ms <= 0 || signal?.aborted === true) return Promise.resolve(undefined)
      const { promise, resolve } = Promise.withResolvers<StoredAnswer | undefined>()
      const all = waiting.get(id) ?? new Set()
      waiting.set(id, all.add(resolve))
      const give = () => resolve(undefined)
      // Longer than a 32-bit timer can wait is as good as for ever.
      const timer = setTimeout(give, Math.min(ms, 2 ** 31 - 1))
      signal?.addEventListener('abort', give, { once: true })
      return promise.finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', give)
        drop(id, resolve)
      })
    },
    wake(id, answer) {
      for (const resolve of waiting.get(id) ?? []) resolve(answer)
    },
    get ids() {
      return waiting.keys()
    },
    has: (id) => waiting.has(id),
    close() {
      for (const all of waiting.values()) for (const resolve of all) resolve(undefined)
    },
  }
}
