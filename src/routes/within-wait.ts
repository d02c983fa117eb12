import type { Preferences } from './prefer.ts'
import type { HttpAnswer } from './to-http.ts'

/** A call under way. */
export interface Running {
  readonly answered: Promise<HttpAnswer>
  /** Resolves once the runtime surely has the call. */
  readonly accepted: Promise<undefined>
}

/** `accepted`: sent, and the caller does not wait for more; `silent`: he has waited as long as he would. */
export type Waited = HttpAnswer | 'accepted' | 'silent'

/**
 * What there is to say to a caller, as late as he allows.
 * @param deadline epoch milliseconds
 */
export async function withinWait(
  { respondAsync, waitSeconds = 0 }: Preferences,
  deadline: number,
  { answered, accepted }: Running,
): Promise<Waited> {
  if (!respondAsync) return firstOf([answered], deadline - Date.now())
  const answer = waitSeconds > 0 ? await firstOf([answered], waitSeconds * 1_000) : 'silent'
  if (answer !== 'silent') return answer
  // 202 is a promise that the call was sent: the acknowledgement is waited for, but no longer than an answer would be.
  return firstOf([answered, accepted.then(() => 'accepted' as const)], Math.max(1, deadline - Date.now()))
}

async function firstOf(waited: readonly Promise<Waited>[], ms: number): Promise<Waited> {
  const { promise, resolve } = Promise.withResolvers<'silent'>()
  const timer = setTimeout(resolve, Math.max(0, ms), 'silent')
  try {
    return await Promise.race([...waited, promise])
  } finally {
    clearTimeout(timer)
  }
}
