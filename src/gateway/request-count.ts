import { atMost } from '../entity-registry/at-most.ts'
import type { Handle } from './front.ts'

/** How many requests are under way in one generation. */
export interface RequestCount {
  readonly handle: Handle
  /** Resolves when there is none, at the latest after so many milliseconds. */
  ended(patienceMs: number): Promise<void>
}

export function createRequestCount(routing: Handle): RequestCount {
  let underWay = 0
  const waiting = new Set<() => void>()
  const leave = (): void => {
    underWay--
    if (underWay === 0) for (const resolve of waiting) resolve()
  }
  return {
    handle(request, response) {
      underWay++
      response.on('close', leave)
      routing(request, response)
    },
    async ended(patienceMs) {
      if (underWay === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      await atMost(patienceMs, promise)
      waiting.delete(resolve)
    },
  }
}
