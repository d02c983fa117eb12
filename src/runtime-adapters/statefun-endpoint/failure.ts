import type { Outcome } from '../contract.ts'
import type { Address } from '../statefun/protobuf.ts'
import { functionTypeOf, showAddress } from './message.ts'

/** Why a function could not be called. */
export type Failure =
  /** No byte of the request has left. */
  | { readonly kind: 'unreached'; readonly detail: string }
  /** Its endpoint has answered with an error. */
  | { readonly kind: 'answered-error'; readonly detail: string }
  /** It has answered what can't be done, or what is no answer at all. */
  | { readonly kind: 'unusable-answer'; readonly detail: string }
  /** The request has left, and no answer came. */
  | { readonly kind: 'lost'; readonly detail: string }

/** Where functions are is not a caller's business. */
export function asToldToCallers(target: Address, failure: Failure): Failure {
  const what = failure.kind === 'unreached' ? 'The function’s endpoint could not be reached.' : failure.detail
  // An answer that can't be used is logged too, and keys are not.
  const where = failure.kind === 'unusable-answer' ? functionTypeOf(target) : showAddress(target)
  return { ...failure, detail: `${where}: ${what}` }
}

/** @param isFirst nothing of the call had been done before */
export function outcomeOf({ kind, detail }: Failure, isFirst: boolean): Outcome {
  switch (kind) {
    case 'unreached':
      return isFirst
        ? { kind: 'not-sent', cause: 'runtime-unavailable', detail }
        : { kind: 'unknown', cause: 'connection-lost', detail, isFinal: true }
    case 'answered-error':
      return { kind: 'raised', name: 'FunctionFailed', message: detail }
    case 'unusable-answer':
      return { kind: 'malformed', detail }
    case 'lost':
      return { kind: 'unknown', cause: 'connection-lost', detail, isFinal: true }
  }
}
