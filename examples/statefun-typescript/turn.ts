import type { Correlated, ItemMessage, UserMessage } from './messages.ts'

/**
 * A function's turn: what comes of one message. Behaviours return it instead of doing it, so that a turn happens whole or, if
 * the behaviour throws, not at all.
 */
export interface Turn<State> {
  /** Left out: as it was. */
  readonly state?: State
  readonly effects?: readonly Effect[]
}

export type Effect =
  | { readonly kind: 'reply'; readonly call: Correlated; readonly answer: Answer }
  | { readonly kind: 'send-to-user'; readonly id: string; readonly message: UserMessage }
  | { readonly kind: 'send-to-item'; readonly id: string; readonly message: ItemMessage }
  | { readonly kind: 'remind-item'; readonly id: string; readonly message: ItemMessage; readonly reminder: Reminder }
  | { readonly kind: 'forget-reminder'; readonly token: string }

/** When a message to oneself comes, and the name by which it can be cancelled until then. */
export interface Reminder {
  readonly afterMs: number
  readonly token: string
}

export type Answer =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

/** Whom a message has reached. `null`: nobody has been created under this id. */
export interface Self<State> {
  readonly id: string
  readonly state: State | null
}

export function returned(call: Correlated, result: unknown): Effect {
  return { kind: 'reply', call, answer: { ok: true, result } }
}

export function failed(call: Correlated, code: string, message: string): Effect {
  return { kind: 'reply', call, answer: { ok: false, error: { code, message } } }
}
