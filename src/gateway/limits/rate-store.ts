import type { Quota } from './quota.ts'

/** How a bucket stands once a call was counted in it. */
export interface Count {
  /** Calls of the window so far, this one and refused ones included. */
  readonly calls: number
  /** Milliseconds to the end of the window, when all is given anew; more than none. */
  readonly leftMs: number
}

/**
 * Counts calls in windows that begin with a bucket's first call. The law of all stores, held by `test/conformance/rate-store.ts`:
 * no call extends a window, and what is counted at the same time is counted once each.
 */
export interface RateStore {
  /** At once where nobody has to be asked. @throws StoreUnavailable, in time */
  count(bucket: string, quota: Quota): Count | Promise<Count>
  start(): Promise<void>
  close(): void
}
