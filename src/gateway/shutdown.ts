import { atMost } from '../entity-registry/at-most.ts'
import type { Answering } from '../routes/answering.ts'
import type { InvocationStore } from '../routes/invocation-store.ts'
import type { Config } from './config.ts'
import type { Front } from './front.ts'
import type { Generations } from './generations.ts'
import type { StrayKeeper } from './invocations/stray-keeper.ts'
import type { Limits } from './limits/limits.ts'
import type { Drain } from './plugins/drain.ts'
import type { Reloading } from './reload/reloading.ts'
import type { Runtimes } from './runtimes.ts'

/** Milliseconds before the end of the grace at which those who still wait are told that nobody knows. */
const LAST_WORD_MS = 500
/** Milliseconds before the end of the grace at which connections are cut whose callers don't take their answers. */
const CUT_MS = 200

export interface Closing {
  readonly config: Config
  readonly drain: Drain
  readonly front: Front
  readonly managementFront: Front | undefined
  readonly generations: Generations
  readonly reloading: Reloading
  readonly limits: Limits
  readonly runtimes: Runtimes
  readonly answering: Answering
  readonly strays: StrayKeeper
  readonly store: InvocationStore
  /** Ends the watch over the process. */
  readonly unwatch: () => void
}

/** In the order in which nobody is asked for what is closed already. */
export async function closeWithin(closing: Closing): Promise<void> {
  const { config, drain, front, managementFront, generations, reloading } = closing
  const { limits, runtimes, answering, strays, store, unwatch } = closing
  const { shutdownGraceMs: graceMs } = config
  const tellAll = (): void => {
    // What fails here fails again below, where it is heard.
    runtimes.close().catch(() => undefined)
    answering.lastWord()
  }
  const lastWord = setTimeout(tellAll, Math.max(0, graceMs - LAST_WORD_MS))
  const cut = setTimeout(() => front.cut(), Math.max(0, graceMs - CUT_MS))
  // One that takes longer sees by itself that the end has come, and closes what it has opened.
  const reloaded = atMost(graceMs, reloading.close())
  limits.refuseWaiting()
  await drain.begin()
  // A plugin of the user's own may fail at its end; callers and what is below are not to suffer from it.
  const [, ended] = await Promise.allSettled([front.close(), generations.close()])
  // What a caller was not told yet goes to the store before the store closes.
  await answering.settled()
  clearTimeout(lastWord)
  clearTimeout(cut)
  await reloaded
  managementFront?.cut()
  await managementFront?.close()
  unwatch()
  limits.close()
  const [stopped] = await Promise.allSettled([runtimes.close()])
  await strays.close()
  await store.close()
  for (const one of [ended, stopped]) if (one.status === 'rejected') throw one.reason
}
