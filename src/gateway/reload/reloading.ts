import type { EntityDescriptor } from '../../entity-registry/descriptor.ts'
import { nextSunsetMs } from '../../entity-registry/diff/keep-retired.ts'
import { LONGEST_TIMER_MS } from '../../entity-registry/longest-timer.ts'
import type { HealthCheck, Log } from '../../runtime-adapters/contract.ts'
import type { Authentication } from '../access/authentication.ts'
import type { Config } from '../config.ts'
import type { Generations } from '../generations.ts'
import { metrics } from '../observability/metric-definition.ts'
import type { MetricPage } from '../observability/metric-page.ts'
import { type DescribedEntities, describeEntities } from '../runtimes.ts'
import { createReload, type ReloadResult } from './reload.ts'
import { createQueue } from './reload-queue.ts'
import { watchFiles } from './watch-files.ts'

/** Everything by which entities are exchanged while the gateway runs. */
export interface Reloading {
  /** Reads metadata, overrides and callers' keys again. Who asks while that is done is answered by the next time. */
  reload(): Promise<ReloadResult>
  /** Files are watched from now on, where the settings say so. */
  start(): void
  check(): HealthCheck
  /** Resolves when the one under way has ended. */
  close(): Promise<void>
}

export interface ReloadingParts {
  readonly config: Config
  readonly log: Log
  readonly page: MetricPage | undefined
  readonly first: DescribedEntities
  /** Callers' keys that are in files, where there are any. */
  readonly authentication: Pick<Authentication, 'reread'> | undefined
  readonly generations: Pick<Generations, 'number'>
  readonly swap: (entities: readonly EntityDescriptor[]) => Promise<void>
  /** Of the watched files, from before `first` was read. */
  readonly marks: string
}

/** Files, folders and globs of everything that is read again. */
export function sourcesOf({ access, metadata, overrides }: Config): readonly string[] {
  const files = [overrides, access.apiKeysFile, access.jwt.jwksFile].filter((file) => file !== undefined)
  return [...metadata, ...files]
}

/** Milliseconds until what could not be taken away is tried again. */
const RETRY_MS = 10_000

export function createReloading(parts: ReloadingParts): Reloading {
  const { config, log, first, authentication, swap, marks } = parts
  const options = config.reload
  const count = countResults(parts)
  // Keys first: those of a caller who is not to call any more end, whatever becomes of the metadata.
  const describe = async () => {
    authentication?.reread()
    return describeEntities(config)
  }
  const core = createReload({ options, log, first, swap, describe })
  let isClosed = false
  let sunset: NodeJS.Timeout | undefined
  let unwatch: (() => void) | undefined
  /** Somebody waits for what the files say; else the queue runs for what has been served long enough. */
  let isAsked = false

  /** One timer for all that are kept; what is asked for while one runs is one more. */
  const run = createQueue(async (): Promise<ReloadResult> => {
    if (isClosed) return { kind: 'unchanged' }
    const wasAsked = isAsked
    isAsked = false
    const result = count(wasAsked ? await core.attempt() : await core.expire())
    clearTimeout(sunset)
    const endsMs = nextSunsetMs(core.served)
    const pauseMs = result.kind === 'failed' ? RETRY_MS : 0
    if (endsMs !== undefined) sunset = setTimeout(expire, Math.max(pauseMs, untilMs(endsMs))).unref()
    return result
  })

  function expire(): void {
    void run()
  }

  function reload(): Promise<ReloadResult> {
    isAsked = true
    return run()
  }

  return {
    reload,
    start() {
      if (options.on !== 'watch') return
      const watched = { sources: sourcesOf(config), marks, intervalMs: options.watchIntervalMs }
      unwatch = watchFiles({ ...watched, log, onChange: () => void reload() })
    },
    check: () => core.check(),
    async close() {
      isClosed = true
      unwatch?.()
      await run()
      clearTimeout(sunset)
    },
  }
}

function untilMs(timeMs: number): number {
  return Math.min(LONGEST_TIMER_MS, Math.max(0, timeMs - Date.now()))
}

function countResults({ page, generations }: ReloadingParts): (result: ReloadResult) => ReloadResult {
  if (page === undefined) return (result) => result
  const results = page.numbers(metrics.reloads)
  for (const kind of ['swapped', 'unchanged', 'blocked', 'failed']) results.cell(kind)
  const swapped = page.numbers(metrics.lastSwap).cell()
  swapped.value = Date.now() / 1_000
  page.ask(metrics.generation, () => [[generations.number]])
  return (result) => {
    results.cell(result.kind).value++
    if (result.kind === 'swapped') swapped.value = Date.now() / 1_000
    return result
  }
}
