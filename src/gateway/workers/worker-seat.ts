import process from 'node:process'
import type { InvocationStore } from '../../routes/invocation-store.ts'
import { ProblemError } from '../../routes/problem.ts'
import type { HealthCheck } from '../../runtime-adapters/contract.ts'
import { type Config, ConfigError } from '../config.ts'
import { failureText } from '../failure-text.ts'
import { withAnswerLimit } from '../invocations/answer-limit.ts'
import type { Kin } from '../invocations/stray-keeper.ts'
import type { MetricPage } from '../observability/metric-page.ts'
import { createLink, type Link } from './link.ts'
import type { PrimaryQuestion, WorkerQuestion } from './questions.ts'
import { replicaName, type SeatFacts } from './seat-facts.ts'
import { configOfWorker, sharesElsewhere } from './worker-shares.ts'
import { createWorkerStore } from './worker-store.ts'

/** The one invocation space of all workers of a primary process. */
export interface WorkerSpace {
  /** This worker's name among the replicas. */
  readonly replica: string
  readonly store: InvocationStore
  readonly kin: Kin
}

/** A gateway's place among the workers of one primary process. */
export interface WorkerSeat {
  readonly number: number
  /** As this worker is to understand it. */
  readonly config: Config
  /** `undefined`: the configuration has a store that all replicas share. */
  readonly space: WorkerSpace | undefined
  /** @returns the page of all workers, this one's numbers among them */
  showMetrics(own: MetricPage): () => Promise<string>
  /** @returns the checks of all workers, this one's among them */
  showChecks(own: () => Promise<readonly HealthCheck[]>): () => Promise<readonly HealthCheck[]>
  /** What is done when the primary process stops; before, the process just ends. */
  onStop(stop: () => void): void
  /** It listens. */
  serving(announcement: string): Promise<void>
  /** It can't start. Resolves when the primary process knows why. */
  failed(error: unknown): Promise<void>
}

/** Milliseconds in which the primary process asks all workers. */
const GATHER_MS = 2_000
/** Milliseconds in which the primary process hears how a start went. */
const REPORT_MS = 30_000
const SILENT = 'The primary process does not answer.'

export function takeSeat(config: Config, facts: SeatFacts): WorkerSeat {
  let stop: () => void = () => process.exit(0)
  let readMetrics: (() => unknown) | undefined
  let readChecks: (() => Promise<unknown>) | undefined

  async function answer({ op }: WorkerQuestion): Promise<unknown> {
    if (op === 'own-metrics') return readMetrics?.() ?? []
    if (op === 'own-checks') return readChecks?.() ?? []
    stop()
    return undefined
  }

  // The primary process of the same program asks.
  const link: Link<PrimaryQuestion> = createLink(primaryPort(), (question) => answer(question as WorkerQuestion))
  const ask = (question: PrimaryQuestion, timeoutMs = GATHER_MS) => link.ask(question, { timeoutMs })
  return {
    number: facts.number,
    config: configOfWorker(config, facts),
    space: spaceOf(config, facts, link),
    showMetrics(own) {
      readMetrics = own.read
      return async () => {
        try {
          // The primary process answers with a text.
          return (await ask({ op: 'metrics' })) as string
        } catch {
          // This worker's numbers alone would look like a fall to who scrapes.
          throw new ProblemError('not_ready', { detail: SILENT })
        }
      }
    },
    showChecks(own) {
      readChecks = own
      return async () => {
        try {
          // The primary process answers with checks.
          return (await ask({ op: 'checks' })) as readonly HealthCheck[]
        } catch {
          return [...(await own()), { name: 'workers', ok: false, detail: SILENT }]
        }
      }
    },
    onStop(given) {
      stop = given
    },
    async serving(announcement) {
      await ask({ op: 'serving', announcement }, REPORT_MS)
    },
    async failed(error) {
      const told = ask({ op: 'failed', text: failureText(error), isOperators: error instanceof ConfigError }, REPORT_MS)
      await told.catch(() => undefined)
    },
  }
}

function spaceOf(config: Config, facts: SeatFacts, link: Link<PrimaryQuestion>): WorkerSpace | undefined {
  const { container = '' } = facts
  const replica = replicaName(facts)
  if (replica === undefined) return undefined
  return {
    replica,
    store: withAnswerLimit(createWorkerStore(link), config.maxAnswerBytes),
    kin: { has: (name) => name.startsWith(container), heldElsewhere: sharesElsewhere(config, facts) },
  }
}

function primaryPort() {
  return {
    // A message that can't be sent has no receiver any more: this process ends with its primary.
    post: (message: unknown) => void process.send?.(message, undefined, undefined, () => undefined),
    onMessage: (listener: (message: unknown) => void) => void process.on('message', listener),
  }
}
