import type { Key } from '../contract.ts'

/** What differs from call to call. */
export interface FunctionCall {
  readonly id: string
  /** `undefined`: of a create whose key is made up. */
  readonly key: Key | undefined
  readonly args: Readonly<Record<string, unknown>>
}

/** The message for a function; text instead: why this call can’t be written. */
export type WriteMessage = (call: FunctionCall) => Buffer | string

/** What a function answered. `callId`: the id at its place in the answer; where there are no places, what is known otherwise. `key`: of what the function created, where it says. */
export type FunctionAnswer =
  | { readonly kind: 'result'; readonly callId: unknown; readonly value: unknown; readonly key: unknown }
  | {
      readonly kind: 'error'
      readonly callId: unknown
      readonly code: string | undefined
      readonly message: string
      readonly data: unknown
    }
  | { readonly kind: 'unreadable'; readonly callId: unknown; readonly detail: string }

export type ReadAnswer = (bytes: Buffer, id: string) => FunctionAnswer
