import { LONGEST_TIMER_MS } from '../../entity-registry/longest-timer.ts'
import { messageOf } from '../../entity-registry/message-of.ts'
import type { InvocationStore } from '../../routes/invocation-store.ts'
import { ProblemError, problemAnswer } from '../../routes/problem.ts'
import { sizeOf } from '../invocations/answer-size.ts'
import type { MemoryStore } from '../invocations/memory-store.ts'
import type { AskOptions, Link } from './link.ts'
import type { StoreOp, StoreQuestion } from './store-questions.ts'

/** Milliseconds that an exchange may take; the law gives a second. */
const TIMEOUT_MS = 900
/** What a question takes beside the texts in it, about. */
const ENVELOPE_BYTES = 500

/**
 * The store of the primary process, as a worker sees it. It is one for all workers, and ends with them: of replicas in other
 * containers it knows nothing.
 */
export function createWorkerStore(link: Link<StoreQuestion>): InvocationStore {
  const closing = new AbortController()

  async function exchange<Op extends StoreOp>(
    op: Op,
    args: Parameters<MemoryStore[Op]>,
    { bytes = 0, timeoutMs = TIMEOUT_MS, signal }: Partial<AskOptions> = {},
  ): Promise<Awaited<ReturnType<MemoryStore[Op]>>> {
    const question = { op, args } as StoreQuestion
    const answer = await link.ask(question, { timeoutMs, bytes: bytes + ENVELOPE_BYTES, signal })
    // `answerStoreQuestion` of the same program has made it.
    return answer as Awaited<ReturnType<MemoryStore[Op]>>
  }

  async function wait<News>(
    ask: (options: Partial<AskOptions>) => Promise<News>,
    untilMs: number,
    signal: AbortSignal | undefined,
  ): Promise<News | undefined> {
    const settled = new AbortController()
    const signals = [closing.signal, settled.signal, ...(signal === undefined ? [] : [signal])]
    const options = { signal: AbortSignal.any(signals), timeoutMs: remainingMs(untilMs) + TIMEOUT_MS }
    const told = ask(options)
    try {
      // A primary that is silent now shall not make anybody wait; questions are answered in their order.
      await Promise.race([told, exchange('health', [])])
      // What it leaves unsaid later does not end the wait.
      return await told.catch(() => undefined)
    } finally {
      settled.abort()
      told.catch(() => undefined)
    }
  }

  /**
   * The caller of one with a scope is told that nothing was sent, so nobody who has joined it may be made to wait. Of one without,
   * nobody knows; its call may have been sent.
   */
  function undo(id: string, scope: string | undefined): Promise<void> {
    if (scope === undefined) return exchange('drop', [id])
    const undone = new ProblemError('store_unavailable', { detail: 'The call was not sent.', invocationId: id })
    return exchange('release', [id, scope, problemAnswer(undone, id)])
  }

  return {
    name: 'memory',
    isShared: false,
    start: async () => undefined,
    async open(record, scope) {
      try {
        return await exchange('open', [record, scope])
      } catch (error) {
        // It may have been opened all the same; what comes later in the channel is done later.
        undo(record.id, scope).catch(() => undefined)
        throw error
      }
    },
    read: (id) => exchange('read', [id]),
    accept: (id) => exchange('accept', [id]),
    finish: (id, answer) => exchange('finish', [id, answer], { bytes: sizeOf(answer) }),
    release: (id, scope, answer) => exchange('release', [id, scope, answer], { bytes: sizeOf(answer) }),
    waitFor: (id, untilMs, signal) => wait((options) => exchange('waitFor', [id, untilMs], options), untilMs, signal),
    waitForAcceptance: (id, untilMs, signal) =>
      wait((options) => exchange('waitForAcceptance', [id, untilMs], options), untilMs, signal),
    beat: (replica) => exchange('beat', [replica]),
    leave: (replica) => exchange('leave', [replica]),
    async health() {
      try {
        return await exchange('health', [])
      } catch (error) {
        return { ok: false, detail: messageOf(error) }
      }
    },
    // The link has other uses, and ends with the process.
    close: async () => closing.abort(),
  }
}

function remainingMs(untilMs: number): number {
  return Math.min(Math.max(0, untilMs - Date.now()), LONGEST_TIMER_MS - TIMEOUT_MS)
}
