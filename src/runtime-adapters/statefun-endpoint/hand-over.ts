import type { HandOver } from '../kafka/call-sender.ts'
import type { CommitResult } from '../sqlite/transaction.ts'

/** What becomes of a message that the engine is given. */

export const ACKNOWLEDGED: HandOver = { kind: 'acknowledged' }
export const CLOSED: HandOver = { kind: 'not-sent', cause: 'shutting-down', detail: 'This replica takes no calls.' }

export function overloaded(detail: string): HandOver {
  return { kind: 'not-sent', cause: 'overloaded', detail }
}

export function afterCommit(result: CommitResult): HandOver {
  if (result.kind === 'committed') return ACKNOWLEDGED
  const detail = `The message could not be stored: ${result.detail}.`
  return result.isCertain ? { kind: 'not-sent', cause: 'runtime-unavailable', detail } : { kind: 'unknown', detail }
}
