import type { Invocation } from '../runtime-adapters/contract.ts'
import type { InvocationRecord } from './invocation-store.ts'
import { memberOf } from './target.ts'

export interface RecordDetails {
  readonly principal: string
  readonly fingerprint: string | undefined
  /** The replica that sends it. */
  readonly replica: string
  /** Milliseconds that the answer is waited for. */
  readonly lifetimeMs: number
  /** The runtime surely has the call. */
  readonly isAccepted: boolean
}

/** What is kept of a call. */
export function recordOf({ id, target }: Invocation, details: RecordDetails): InvocationRecord {
  const { principal, fingerprint, replica, lifetimeMs, isAccepted } = details
  const createdAt = Date.now()
  return {
    ...{ id, principal, fingerprint, replica, createdAt },
    asked: {
      kind: target.kind,
      entity: target.entity.name,
      key: target.kind === 'create' ? undefined : target.key,
      member: memberOf(target) || undefined,
    },
    expiresAt: createdAt + lifetimeMs,
    state: isAccepted ? 'running' : 'queued',
  }
}
