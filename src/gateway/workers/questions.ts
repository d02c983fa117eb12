import type { HealthCheck } from '../../runtime-adapters/contract.ts'
import type { MetricReading } from '../observability/metric-reading.ts'
import type { StoreQuestion } from './store-questions.ts'

/** What a worker asks of the primary process, or tells it. */
export type PrimaryQuestion =
  | StoreQuestion
  /** It listens. The announcement is the same for all workers. */
  | { readonly op: 'serving'; readonly announcement: string }
  /** It could not start. */
  | { readonly op: 'failed'; readonly text: string; readonly isOperators: boolean }
  /** The page of all workers, as text. */
  | { readonly op: 'metrics' }
  /** The checks of all workers. */
  | { readonly op: 'checks' }

/** What the primary process asks of a worker. Of metrics and checks, these are its own alone. */
export type WorkerQuestion = { readonly op: 'own-metrics' | 'own-checks' | 'stop' }

export interface WorkerAnswers {
  readonly 'own-metrics': readonly MetricReading[]
  readonly 'own-checks': readonly HealthCheck[]
  readonly stop: undefined
}
