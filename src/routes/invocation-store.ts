import type { Key, Target } from '../runtime-adapters/contract.ts'
import type { HttpAnswer } from './to-http.ts'

/**
 * Where invocations are kept whose callers do not wait on this very connection: accepted with 202, past their deadline, or
 * named by an idempotency key. Implementations: `gateway/invocations/`.
 */

export interface InvocationRecord {
  readonly id: string
  /** Whose it is; `''`: nobody was authenticated. */
  readonly principal: string
  /** The replica that sent it and waits for its reply. */
  readonly replica: string
  /** What was asked, by names, so that any replica can read the reply. */
  readonly asked: {
    readonly kind: Target['kind']
    readonly entity: string
    readonly key: Key | undefined
    /** The method or attribute. */
    readonly member: string | undefined
  }
  /** Epoch milliseconds. */
  readonly createdAt: number
  /** Epoch milliseconds after which nobody waits for the reply any more. */
  readonly expiresAt: number
  /** SHA-256 of the arguments; only with an idempotency key. */
  readonly fingerprint: string | undefined
  /** `queued`: opened, and nobody knows yet whether the runtime has it; `running`: the runtime surely has it. */
  readonly state: 'queued' | 'running' | 'finished'
  /** With `finished`: as it went, or would have gone, to the caller. */
  readonly answer?: HttpAnswer
}

export type OpenResult =
  | { readonly kind: 'opened' }
  /** The idempotency key names this invocation already. */
  | { readonly kind: 'exists'; readonly record: InvocationRecord }

/**
 * Laws, held by `test/conformance/invocation-store.ts`:
 * - `open` with a scope is atomic: of any number of calls with one scope, on any number of replicas, one opens.
 * - `finish` is atomic and first wins; what was finished is never changed, and not released either.
 * - A finished record stays for the retention, then reads as `gone`, and much later as `undefined`.
 * - `accept` makes a queued record a running one, on every replica; it changes nothing of what is finished or not there.
 * - `waitFor` resolves as soon as any replica finishes or releases the invocation, at the latest at `untilMs`; at once, with
 *   `undefined`, when there is no such invocation. A store that goes away meanwhile does not end the wait. `waitForAcceptance` does
 *   the same, and is content with less.
 * - Everything rejects with `StoreUnavailable` within a second when the store can't be reached; nothing is queued without a bound.
 *   An `open` that was rejected gives its scope back as soon as it can.
 */
export interface InvocationStore {
  readonly name: string
  /** Records outlive this process, and other replicas see them. */
  readonly isShared: boolean
  start(): Promise<void>
  /** @param scope hash of principal, target and idempotency key; `undefined`: without a key */
  open(record: InvocationRecord, scope: string | undefined): Promise<OpenResult>
  read(id: string): Promise<InvocationRecord | 'gone' | undefined>
  /** The runtime surely has the call. */
  accept(id: string): Promise<void>
  /** @returns whether this call finished it */
  finish(id: string, answer: HttpAnswer): Promise<boolean>
  /**
   * The call was surely not sent: its idempotency key is forgotten at once. Who waits gets the answer, and who was given its
   * `Location` finds it there for some minutes.
   */
  release(id: string, scope: string | undefined, answer: HttpAnswer): Promise<void>
  /** @returns the answer, or `undefined` at `untilMs` (epoch milliseconds) or when `signal` aborts */
  waitFor(id: string, untilMs: number, signal?: AbortSignal): Promise<HttpAnswer | undefined>
  /** As `waitFor`, but `'accepted'` once the runtime surely has the call, should there be no answer yet. */
  waitForAcceptance(id: string, untilMs: number, signal?: AbortSignal): Promise<HttpAnswer | 'accepted' | undefined>
  /** Says that this replica lives, and learns which others do. Called every second or so. */
  beat(replica: string): Promise<ReadonlySet<string>>
  /** This replica takes no more replies: others may take over at once. */
  leave(replica: string): Promise<void>
  health(): Promise<{ readonly ok: boolean; readonly detail: string }>
  close(): Promise<void>
}

/** The store can't be reached, or has no room. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}
