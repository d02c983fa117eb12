import { LONGEST_TIMER_MS } from '../entity-registry/longest-timer.ts'
import type { Log } from '../runtime-adapters/contract.ts'
import { allEnded } from './all-ended.ts'
import type { Config } from './config.ts'
import type { Front } from './front.ts'
import type { Generation } from './generation.ts'

/** The generation that serves, and those whose last requests are still under way. */
export interface Generations {
  readonly current: Generation
  /** Of those that have served; the first is 1. */
  readonly number: number
  /** Resolves when all that have served until now have ended. */
  ended(): Promise<unknown>
  /** From the next request on. Can't fail. */
  follow(next: Generation): void
  /** Every one that still has requests. */
  close(): Promise<void>
}

export interface GenerationsOptions {
  readonly front: Front
  readonly managementFront: Front | undefined
  readonly config: Config
  readonly log: Log
}

export function createGenerations(first: Generation, options: GenerationsOptions): Generations {
  const { front, managementFront, config, log } = options
  /** Each with what resolves at its end. */
  const alive = new Map<Generation, PromiseWithResolvers<void>>()
  let current = first
  let number = 0

  function lead(next: Generation): void {
    current = next
    number++
    alive.set(next, Promise.withResolvers())
    front.lead(next.handle)
    if (next.handleManagement !== undefined) managementFront?.lead(next.handleManagement)
    next.begin()
  }

  lead(first)
  return {
    get current() {
      return current
    },
    get number() {
      return number
    },
    ended: () => Promise.all([...alive.values()].map(({ promise }) => promise)),
    follow(next) {
      const before = current
      lead(next)
      void before
        .retire(patienceOf(before, config))
        // A plugin of the user's own, perhaps.
        .catch((error: unknown) => log.error({ err: error }, 'an earlier generation did not end as it should'))
        .finally(() => {
          alive.get(before)?.resolve()
          alive.delete(before)
        })
    },
    async close() {
      await allEnded([...alive.keys()].map((one) => one.close()))
    },
  }
}

/** Milliseconds: the longest that one of its calls may take, and a moment for the answer. */
function patienceOf({ registry }: Generation, { deadlineMs, maxWaitMs, shutdownGraceMs }: Config): number {
  const own = registry.entities.flatMap(({ methods }) => [...methods.values()].map((method) => method.deadlineMs ?? 0))
  const longest = own.reduce((most, one) => Math.max(most, one), Math.max(deadlineMs, maxWaitMs))
  return Math.min(LONGEST_TIMER_MS, longest + shutdownGraceMs)
}
