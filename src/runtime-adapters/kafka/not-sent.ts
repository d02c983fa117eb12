import type { NotSent, NotSentCause } from '../contract.ts'

export function notSent(cause: NotSentCause, detail: string): NotSent {
  return { kind: 'not-sent', cause, detail }
}

export const TAKES_NO_CALLS = notSent('shutting-down', 'This replica takes no calls.')
