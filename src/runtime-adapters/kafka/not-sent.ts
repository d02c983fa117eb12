import type { NotSent, NotSentCause } from '../contract.ts'

export function notSent(cause: NotSentCause, detail: string): NotSent {
  return { kind: 'not-sent', cause, detail }
}
