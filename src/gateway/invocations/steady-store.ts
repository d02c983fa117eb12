import type { InvocationStore } from '../../routes/invocation-store.ts'
import { sizeOf } from './answer-size.ts'
import { passOn } from './pass-on.ts'
import { createRetries } from './retries.ts'

/** As long as a call is waited for by default: a key whose call was not sent must not stay taken after an outage. */
const LIMITS = { patienceMs: 900_000, maxWaiting: 20_000, maxBytes: 67_108_864 } as const

/**
 * What happened is written, also when the store is away for a while or slow:
 * `finish` comes after the `open` of the same record that is still under way, so that a reply which overtakes it is not lost,
 * and `accept`, `finish` and `release` are tried again until the store is back.
 */
export function createSteadyStore(store: InvocationStore): InvocationStore {
  const opening = new Map<string, Promise<unknown>>()
  const retries = createRetries(LIMITS)

  return {
    ...passOn(store),
    async open(record, scope) {
      const opened = store.open(record, scope)
      opening.set(record.id, opened)
      try {
        return await opened
      } finally {
        opening.delete(record.id)
      }
    },
    accept: (id) => retries.run(() => store.accept(id)),
    async finish(id, answer) {
      await opening.get(id)?.catch(() => undefined)
      return retries.run(() => store.finish(id, answer), sizeOf(answer))
    },
    release: (id, scope, answer) => retries.run(() => store.release(id, scope, answer), sizeOf(answer)),
    async close() {
      await retries.close()
      await store.close()
    },
  }
}
