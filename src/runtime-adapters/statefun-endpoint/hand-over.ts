import { type HandOver, notSent } from '../kafka/call-sender.ts'
import type { CommitResult } from '../sqlite/transaction.ts'

/** What becomes of a message that the engine is given. */

export const ACKNOWLEDGED: HandOver = { kind: 'acknowledged' }
export const CLOSED: HandOver = notSent('shutting-down', 'This replica takes no calls.')

export function afterCommit(result: CommitResult): HandOver {
  if (result.kind === 'committed') return ACKNOWLEDGED
  const detail = `The message could not be stored: ${result.detail}.`
  return result.isCertain ? notSent('runtime-unavailable', detail) : { kind: 'unknown', detail }
}
