import { StoreUnavailable } from '../../routes/invocation-store.ts'
import type { HealthCheck } from '../../runtime-adapters/contract.ts'
import type { Count, RateStore } from './rate-store.ts'

export interface SteadyRateStore extends RateStore {
  health(): HealthCheck
}

export interface SteadyRateStoreOptions {
  readonly shared: RateStore
  /** Counts while the shared one is away. */
  readonly local: RateStore
  /** A call was counted in this replica alone. */
  readonly onLocal: () => void
}

/**
 * A quota is no reason to refuse all calls while Redis is away: each replica then gives it out by itself, so callers have at
 * most as many quotas as there are replicas.
 */
export function createSteadyRateStore({ shared, local, onLocal }: SteadyRateStoreOptions): SteadyRateStore {
  let trouble: string | undefined
  return {
    async count(bucket, quota): Promise<Count> {
      try {
        const count = await shared.count(bucket, quota)
        trouble = undefined
        return count
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        trouble = error.message
        onLocal()
        return local.count(bucket, quota)
      }
    },
    start: () => shared.start(),
    health() {
      const name = 'rate limits'
      if (trouble === undefined) return { name, ok: true, essential: false, detail: 'All replicas count together.' }
      return { name, ok: false, essential: false, detail: `Each replica counts by itself. ${trouble}` }
    },
    close() {
      shared.close()
      local.close()
    },
  }
}
