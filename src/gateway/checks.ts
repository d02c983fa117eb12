import type { InvocationStore } from '../routes/invocation-store.ts'
import type { HealthCheck } from '../runtime-adapters/contract.ts'
import type { Limits } from './limits/limits.ts'
import type { UnusableAnswers } from './observability/unusable-answers.ts'
import type { Drain } from './plugins/drain.ts'
import type { Reloading } from './reload/reloading.ts'
import type { Runtimes } from './runtimes.ts'

export interface Checked {
  readonly runtimes: Runtimes
  readonly store: InvocationStore
  readonly limits: Pick<Limits, 'checks'>
  readonly unusable: Pick<UnusableAnswers, 'checks'>
  readonly reloading: Pick<Reloading, 'check'>
  readonly drain: Pick<Drain, 'isDraining'>
}

/** What can be asked of the process; what its entities add is asked of the generation that serves. */
export async function allChecks(parts: Checked): Promise<readonly HealthCheck[]> {
  const { runtimes, store, limits, unusable, reloading, drain } = parts
  const [checks, health] = await Promise.all([runtimes.checks(), store.health()])
  // The management port answers to the end.
  const end = drain.isDraining() ? [{ name: 'gateway', ok: false, detail: 'It is stopping.' }] : []
  const kept = { name: `${store.name} store`, essential: false, ...health }
  return [...end, ...checks, ...unusable.checks(), ...limits.checks(), kept, reloading.check()]
}
