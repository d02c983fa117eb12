import type { Outcome } from '../contract.ts'

/** Calls by the messages that they have under way. One that fails says nothing as long as another may bring the answer. */
export interface CallsUnderWay {
  /** A message of this call waits for its function; `undefined`: nobody knows of which call it is. */
  begin(origin: string | undefined): void
  /** It is done, and what it has sent has begun; or it has failed. */
  end(origin: string | undefined, failure?: Outcome): void
}

interface Call {
  messages: number
  /** The first. */
  failure: Outcome | undefined
}

/** @param onFailure called once nothing of the call is under way any more, where any of it has failed */
export function createCallsUnderWay(onFailure: (origin: string, outcome: Outcome) => void): CallsUnderWay {
  const calls = new Map<string, Call>()

  return {
    begin(origin) {
      if (origin === undefined) return
      const call = calls.get(origin)
      if (call === undefined) calls.set(origin, { messages: 1, failure: undefined })
      else call.messages++
    },
    end(origin, failure) {
      const call = origin === undefined ? undefined : calls.get(origin)
      if (origin === undefined || call === undefined) return
      call.failure ??= failure
      call.messages--
      if (call.messages > 0) return
      calls.delete(origin)
      if (call.failure !== undefined) onFailure(origin, call.failure)
    },
  }
}
