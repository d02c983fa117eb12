import type { Log } from '../contract.ts'
import type { Failure } from './failure.ts'

export interface FailedMessage {
  readonly functionType: string
  readonly origin: string | undefined
  readonly failure: Failure
}

export interface FailureLog {
  note(failed: FailedMessage): void
}

/** Milliseconds between two lines about one function: where its endpoint is away, every message fails. */
const PAUSE_MS = 1_000
/** Functions that are remembered: what messages name is not ours to bound. */
const MAX_FUNCTIONS = 1_000

/** Messages that have failed for good, without their ids: they are entities' keys. */
export function createFailureLog(log: Log): FailureLog {
  const lastByFunction = new Map<string, { readonly atMs: number; unsaid: number }>()
  return {
    note({ functionType, origin, failure: { kind, detail } }) {
      const nowMs = performance.now()
      const last = lastByFunction.get(functionType)
      if (last !== undefined && nowMs - last.atMs < PAUSE_MS) {
        last.unsaid++
        return
      }
      if (lastByFunction.size >= MAX_FUNCTIONS) lastByFunction.clear()
      lastByFunction.set(functionType, { atMs: nowMs, unsaid: 0 })
      const unsaid = last?.unsaid ?? 0
      log.warn({ function: functionType, origin, failure: kind, detail, unsaid }, 'a message has failed')
    },
  }
}
