import type { Outcome } from '../runtime-adapters/contract.ts'
import type { Preferences } from './prefer.ts'
import type { HttpAnswer } from './to-http.ts'

/** `accepted`: sent, and the caller does not wait for more; `silent`: he has waited as long as he would. */
export type Waited = HttpAnswer | 'accepted' | 'silent'

/**
 * A call whose caller may leave before it is answered. There may be ten thousands of them, so it is one small object: what a
 * caller needs to wait goes when he goes.
 */
export class CallUnderWay {
  #isAccepted = false
  #answer: HttpAnswer | undefined
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined

  /** Whether the runtime surely has the call. */
  get isAccepted(): boolean {
    return this.#isAccepted
  }

  accept(): void {
    this.#isAccepted = true
    this.#wake?.()
  }

  follow(outcome: Promise<Outcome>, answerTo: (outcome: Outcome) => HttpAnswer): void {
    // One reaction, not a chain of them: each would be kept for as long as the call waits.
    outcome.then(
      (settled) => this.#end(() => answerTo(settled)),
      (error) =>
        this.#end(() => {
          throw error
        }),
    )
  }

  #end(answer: () => HttpAnswer): void {
    try {
      this.#answer = answer()
    } catch (error) {
      // A bug; it is his who waits, if anybody does.
      this.#failure = { error }
    }
    this.#wake?.()
  }

  /**
   * What there is to say to the caller, as late as he allows.
   * @param deadline epoch milliseconds
   */
  async waitFor({ respondAsync, waitSeconds = 0 }: Preferences, deadline: number): Promise<Waited> {
    if (!respondAsync) return this.#until(deadline, false)
    const waited = waitSeconds > 0 ? await this.#until(Date.now() + waitSeconds * 1_000, false) : 'silent'
    // 202 is a promise that the call was sent: the acknowledgement is waited for, but no longer than an answer would be.
    return waited === 'silent' ? this.#until(Math.max(deadline, Date.now() + 1), true) : waited
  }

  #until(untilMs: number, isAcceptedEnough: boolean): Promise<Waited> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        this.#wake = undefined
      }
      const end = (waited: Waited): void => {
        leave()
        resolve(waited)
      }
      const look = (): void => {
        if (this.#answer !== undefined) end(this.#answer)
        else if (this.#failure !== undefined) {
          leave()
          reject(this.#failure.error)
        } else if (isAcceptedEnough && this.#isAccepted) end('accepted')
      }
      const timer = setTimeout(end, Math.max(0, untilMs - Date.now()), 'silent')
      this.#wake = look
      look()
    })
  }
}
