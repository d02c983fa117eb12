import type { InvocationStore } from '../../routes/invocation-store.ts'
import { passOn } from '../invocations/pass-on.ts'
import { metrics } from './metric-definition.ts'
import type { MetricPage } from './metric-page.ts'

/** The same store, each of its exchanges timed. Waits for answers are the callers', not the store's. */
export function withStoreMetrics(store: InvocationStore, page: MetricPage): InvocationStore {
  const duration = page.histogram(metrics.storeDuration)

  async function timed<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now()
    let result = 'failed'
    try {
      const value = await work()
      result = 'ok'
      return value
    } finally {
      duration.cell(store.name, operation, result).observe((performance.now() - startedAtMs) / 1_000)
    }
  }

  return {
    ...passOn(store),
    open: (record, scope) => timed('open', () => store.open(record, scope)),
    read: (id) => timed('read', () => store.read(id)),
    accept: (id) => timed('accept', () => store.accept(id)),
    finish: (id, answer) => timed('finish', () => store.finish(id, answer)),
    release: (id, scope, answer) => timed('release', () => store.release(id, scope, answer)),
    beat: (replica) => timed('beat', () => store.beat(replica)),
  }
}
