import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { StoreUnavailable } from '../../routes/invocation-store.ts'
import type { AdapterName } from '../../runtime-adapters/catalog.ts'
import { createLog } from '../app.ts'
import { type Config, ConfigError } from '../config.ts'
import { createMemoryStore, type MemoryStore } from '../invocations/memory-store.ts'
import { logDestination, loggerOptions } from '../logger.ts'
import { createMetricPage } from '../observability/metric-page.ts'
import { addProcessMetrics } from '../observability/process-metrics.ts'
import { Crew, type CrewOptions, type Member } from './crew.ts'
import { withLivingWorkers } from './living-workers.ts'
import { CONTAINER_DIGITS } from './seat-facts.ts'
import { answerStoreQuestion, type StoreQuestion } from './store-questions.ts'
import { createTogether, type Together } from './together.ts'
import { forkWorker } from './worker-process.ts'

/** Milliseconds beyond those that a worker has, for the operating system to end it. */
const KILL_MS = 1_000
/** What must not be in several processes: each would have a state of its own. */
const oneProcessOnly: readonly AdapterName[] = ['embedded', 'statefun-endpoint']

/** @throws ConfigError where there can't be as many as are asked for */
export function workerCount(config: Config): number {
  const count = config.workers === 0 ? availableParallelism() : config.workers
  const adapters = Object.values(config.runtimes ?? { '': { adapter: config.runtime } }).map(({ adapter }) => adapter)
  const alone = adapters.find((adapter) => oneProcessOnly.includes(adapter))
  if (count === 1 || alone === undefined) return count
  throw new ConfigError([
    `GATEWAY_WORKERS=${config.workers}: the runtime "${alone}" keeps its state in one process, so it can have one worker only.`,
  ])
}

export interface ServeByWorkersOptions {
  readonly config: Config
  readonly count: number
  /** Milliseconds after which a worker that was told to stop has stopped. */
  readonly stopMs: number
}

/** Starts the workers and resolves when all of them serve; from then on this process keeps them, their store and their sums. */
export async function serveByWorkers({ config, count, stopMs }: ServeByWorkersOptions): Promise<void> {
  const isTerminal = process.stdout.isTTY
  const destination = logDestination(config, isTerminal, false)
  const log = createLog(loggerOptions(config, isTerminal, { destination }))
  const store = config.redis.url === undefined ? createSharedMemory(config) : undefined
  await store?.start()
  const crew = createCrewWith(store, { count, log, onHopeless: () => void end(1) })
  const ignoreSignals = obeySignals(crew, () => void end(0))

  async function end(leastCode: number): Promise<void> {
    const code = await crew.stop(stopMs + KILL_MS)
    process.exit(Math.max(code, leastCode))
  }

  try {
    const announcement = await crew.start()
    log.info({ workers: count }, `${announcement}; ${count} workers`)
  } catch (error) {
    ignoreSignals()
    await store?.close()
    throw error
  }
}

function createSharedMemory({ retentionMs, maxInvocations, maxKeptBytes }: Config): MemoryStore {
  return withLivingWorkers(createMemoryStore({ retentionMs, maxRecords: maxInvocations, maxBytes: maxKeptBytes }))
}

function createCrewWith(
  store: MemoryStore | undefined,
  { count, log, onHopeless }: Pick<CrewOptions, 'count' | 'log' | 'onHopeless'>,
): Crew {
  const container = store === undefined ? undefined : randomBytes(CONTAINER_DIGITS / 2).toString('hex')
  const page = createMetricPage()
  addProcessMetrics(page)
  const names = new WeakMap<Member, Set<string>>()
  let before = 0

  function askStore(member: Member, question: StoreQuestion, signal: AbortSignal): Promise<unknown> {
    if (store === undefined) return Promise.reject(new StoreUnavailable('There is no store in this process.'))
    if (question.op === 'beat') names.set(member, (names.get(member) ?? new Set()).add(question.args[0]))
    return answerStoreQuestion(store, question, signal)
  }

  const crew = new Crew({
    ...{ count, log, onHopeless },
    fork: (number) => forkWorker({ number, count, container, before: before++ }),
    async answer(member, question, signal) {
      if (question.op === 'metrics') return together.metrics()
      if (question.op === 'checks') return together.checks()
      return askStore(member, question, signal)
    },
    onEnd(member) {
      together.noteEnd(member)
      // It surely takes no more replies: the others need not wait until it is missed.
      for (const name of names.get(member) ?? []) void store?.leave(name)
    },
  })
  const together: Together = createTogether({ crew, count, own: page.read })
  return crew
}

/** A second signal to end is obeyed at once. SIGHUP is the workers' to understand. */
function obeySignals(crew: Crew, end: () => void): () => void {
  let isEnding = false
  const stop = () => {
    if (isEnding) process.exit(1)
    isEnding = true
    end()
  }
  const pass = () => crew.pass('SIGHUP')
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', pass)
  return () => void process.off('SIGTERM', stop).off('SIGINT', stop).off('SIGHUP', pass)
}
