import { notSent } from '../kafka/not-sent.ts'
import type { SendResult } from '../kafka/transport.ts'
import type { CommitResult } from '../sqlite/transaction.ts'

/** What becomes of a message that the engine is given. */

export const ACKNOWLEDGED: SendResult = { kind: 'acknowledged' }

export function afterCommit(result: CommitResult): SendResult {
  if (result.kind === 'committed') return ACKNOWLEDGED
  const detail = `The message could not be stored: ${result.detail}.`
  return result.isCertain ? notSent('runtime-unavailable', detail) : { kind: 'unknown', detail }
}
