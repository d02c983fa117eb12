import { LONGEST_TIMER_MS } from '../../entity-registry/longest-timer.ts'

/** Who waits in this process for news of an invocation, by its id. */
export interface Waiters<News> {
  /** @returns the news, or `undefined` after `ms` milliseconds, when `signal` aborts, or at `close` */
  wait(id: string, ms: number, signal?: AbortSignal): Promise<News | undefined>
  wake(id: string, news: News): void
  readonly ids: IterableIterator<string>
  has(id: string): boolean
  close(): void
}

export function createWaiters<News>(): Waiters<News> {
  type Resolve = (news: News | undefined) => void
  const waiting = new Map<string, Set<Resolve>>()

  function drop(id: string, resolve: Resolve): void {
    const all = waiting.get(id)
    all?.delete(resolve)
    if (all?.size === 0) waiting.delete(id)
  }

  return {
    wait(id, ms, signal) {
      if (ms <= 0 || signal?.aborted === true) return Promise.resolve(undefined)
      const { promise, resolve } = Promise.withResolvers<News | undefined>()
      const all = waiting.get(id) ?? new Set<Resolve>()
      waiting.set(id, all.add(resolve))
      const give = () => resolve(undefined)
      const timer = setTimeout(give, Math.min(ms, LONGEST_TIMER_MS))
      signal?.addEventListener('abort', give, { once: true })
      return promise.finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', give)
        drop(id, resolve)
      })
    },
    wake(id, news) {
      for (const resolve of waiting.get(id) ?? []) resolve(news)
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
