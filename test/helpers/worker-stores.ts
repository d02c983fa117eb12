import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { createMemoryStore, type MemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { createLink, type LinkLimits, type Port } from '../../src/gateway/workers/link.ts'
import { withLivingWorkers } from '../../src/gateway/workers/living-workers.ts'
import { answerStoreQuestion, type StoreQuestion } from '../../src/gateway/workers/store-questions.ts'
import { createWorkerStore } from '../../src/gateway/workers/worker-store.ts'

export interface WorkerStoreSettings {
  readonly store: MemoryStore
  readonly limits?: LinkLimits
  /** The primary's side takes no messages until it resolves. */
  readonly isSilentUntil?: Promise<void>
}

/** A worker's view of a store on the other side of a channel that copies what it carries, as the one between processes does. */
export function makeWorkerStore({ store, limits, isSilentUntil }: WorkerStoreSettings) {
  const { port1, port2 } = new MessageChannel()
  const answer = async (question: unknown, signal: AbortSignal) => {
    await isSilentUntil
    // The other end is the worker's store.
    return answerStoreQuestion(store, question as StoreQuestion, signal)
  }
  const primary = createLink<never>(portOf(port1), answer)
  const link = createLink<StoreQuestion>(
    portOf(port2),
    () => Promise.reject(new Error('nobody asks a worker here')),
    limits,
  )
  return {
    store: createWorkerStore(link),
    /** As when the primary process ends. */
    cut() {
      primary.close()
      link.close()
    },
    close() {
      port1.close()
      port2.close()
    },
  }
}

function portOf(port: MessagePort): Port {
  return { post: (message) => port.postMessage(message), onMessage: (listener) => void port.on('message', listener) }
}

/** Three workers' stores over one in memory; started. */
export async function makeWorkerStores(retentionMs: number) {
  const behind = withLivingWorkers(createMemoryStore({ retentionMs, maxRecords: 1_000 }))
  await behind.start()
  const [a, b, c] = [
    makeWorkerStore({ store: behind }),
    makeWorkerStore({ store: behind }),
    makeWorkerStore({ store: behind }),
  ]
  return {
    replicas: [a.store, b.store, c.store] as const,
    async close() {
      await Promise.all([a, b, c].map(({ store }) => store.close()))
      for (const one of [a, b, c]) one.close()
      await behind.close()
    },
  }
}
