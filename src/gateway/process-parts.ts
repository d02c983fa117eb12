import type { Answering } from '../routes/answering.ts'
import type { BatchPlaces } from '../routes/batch-places.ts'
import type { InvocationStore } from '../routes/invocation-store.ts'
import type { HealthCheck, Invoke, Log } from '../runtime-adapters/contract.ts'
import type { Authentication } from './access/authentication.ts'
import type { Config } from './config.ts'
import type { LoadedRoutes } from './custom-routes.ts'
import type { Limits } from './limits/limits.ts'
import type { Observability } from './observability/observability.ts'
import type { Drain } from './plugins/drain.ts'
import type { WorkerSeat } from './workers/worker-seat.ts'

/** What lives as long as the process; every generation of entities is given the same. */
export interface ProcessParts {
  readonly config: Config
  readonly log: Log
  readonly store: InvocationStore
  readonly invoke: Invoke
  /** Without the limits: for calls that show whether a runtime answers. */
  readonly handed: Invoke
  readonly answering: Answering
  readonly authentication: Authentication | undefined
  readonly limits: Limits
  readonly batchPlaces: BatchPlaces
  readonly custom: readonly LoadedRoutes[]
  readonly newId: () => string
  readonly observed: Observability
  readonly drain: Pick<Drain, 'isDraining'>
  /** Of everything but the generation's own. */
  readonly checks: () => Promise<readonly HealthCheck[]>
  /** The runtimes are connected to. */
  readonly isServing: boolean
  readonly worker: WorkerSeat | undefined
}
