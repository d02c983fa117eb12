import { messageOf } from '../../entity-registry/message-of.ts'
import { StoreUnavailable } from '../../routes/invocation-store.ts'

/** One end of a channel between two processes. Messages arrive whole and in order, or the channel is closed. */
export interface Port {
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
}

export interface AskOptions {
  /** Milliseconds until the other side is taken for silent. */
  readonly timeoutMs: number
  /** What the question takes of the channel, about. */
  readonly bytes?: number
  /** Nobody wants the answer any more: `ask` resolves with `undefined`. */
  readonly signal?: AbortSignal | undefined
}

/** Questions and answers between two processes, those of one turn of the event loop in one message. */
export interface Link<Question> {
  /**
   * Rejects with `StoreUnavailable` when the other side is silent or gone, or when too much waits for its answers already.
   * What comes back is what the other side's `answer` resolved with.
   */
  ask(question: Question, options: AskOptions): Promise<unknown>
  /** The other side is gone: nothing is answered any more. */
  close(): void
}

/** @param signal aborts when the asker wants no answer any more, or is gone */
export type Answer = (question: unknown, signal: AbortSignal) => Promise<unknown>

export interface LinkLimits {
  /** Questions without an answer, those included that nobody waits for any more. */
  readonly maxQuestions: number
  readonly maxBytes: number
}

type Envelope =
  | { readonly kind: 'question'; readonly number: number; readonly content: unknown }
  | { readonly kind: 'answer'; readonly number: number; readonly content: unknown }
  | { readonly kind: 'failure'; readonly number: number; readonly isUnavailable: boolean; readonly message: string }
  | { readonly kind: 'never-mind'; readonly number: number }

/** A question on its way. It counts until it is answered, so that what is queued for a silent process is bounded. */
interface Asked {
  readonly bytes: number
  readonly resolve: (content: unknown) => void
  readonly reject: (error: Error) => void
}

const GONE = 'The other process is gone.'
const LIMITS: LinkLimits = { maxQuestions: 50_000, maxBytes: 67_108_864 }

export function createLink<Question>(port: Port, answer: Answer, limits: LinkLimits = LIMITS): Link<Question> {
  const post = createGatheredPost(port)
  const questions = createQuestions(post, limits)
  const answers = createAnswers(answer, post)

  function receive(envelope: Envelope): void {
    const { kind, number } = envelope
    if (kind === 'question') answers.give(number, envelope.content)
    else if (kind === 'never-mind') answers.cancel(number)
    else if (kind === 'answer') questions.settle(number)?.resolve(envelope.content)
    else {
      const { isUnavailable, message } = envelope
      questions.settle(number)?.reject(isUnavailable ? new StoreUnavailable(message) : new Error(message))
    }
  }

  port.onMessage((batch) => {
    // Custom routes may send messages of their own, which are nobody's; a list is what another link of this program has posted.
    if (Array.isArray(batch)) (batch as readonly Envelope[]).forEach(receive)
  })

  return {
    ask(question, { timeoutMs, bytes = 0, signal }) {
      if (signal?.aborted === true) return Promise.resolve(undefined)
      const { promise, resolve, reject } = Promise.withResolvers<unknown>()
      const number = questions.post(question, { bytes, resolve, reject })
      if (number === undefined) return promise
      const timer = setTimeout(
        () => reject(new StoreUnavailable('The other process did not answer in time.')),
        timeoutMs,
      )
      const neverMind = () => {
        post({ kind: 'never-mind', number })
        resolve(undefined)
      }
      signal?.addEventListener('abort', neverMind, { once: true })
      return promise.finally(() => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', neverMind)
      })
    },
    close() {
      answers.close()
      questions.close()
    },
  }
}

interface Questions {
  /** @returns its number; `undefined`: there is no room, and it was rejected */
  post(content: unknown, asked: Asked): number | undefined
  /** @returns whose answer has come */
  settle(number: number): Asked | undefined
  close(): void
}

function createQuestions(post: (envelope: Envelope) => void, { maxQuestions, maxBytes }: LinkLimits): Questions {
  const open = new Map<number, Asked>()
  let bytesOpen = 0
  let lastNumber = 0
  let isClosed = false

  function settle(number: number): Asked | undefined {
    const asked = open.get(number)
    open.delete(number)
    bytesOpen -= asked?.bytes ?? 0
    return asked
  }

  function refusal(bytes: number): string | undefined {
    if (isClosed) return GONE
    const hasRoom = open.size < maxQuestions && bytesOpen + bytes <= maxBytes
    return hasRoom ? undefined : `${open.size} questions wait for the other process already.`
  }

  return {
    settle,
    post(content, asked) {
      const refused = refusal(asked.bytes)
      if (refused !== undefined) {
        asked.reject(new StoreUnavailable(refused))
        return undefined
      }
      const number = ++lastNumber
      open.set(number, asked)
      bytesOpen += asked.bytes
      post({ kind: 'question', number, content })
      return number
    },
    close() {
      isClosed = true
      for (const number of [...open.keys()]) settle(number)?.reject(new StoreUnavailable(GONE))
    },
  }
}

/** What is posted in one turn of the event loop travels as one message. */
function createGatheredPost(port: Port): (envelope: Envelope) => void {
  let gathered: Envelope[] = []
  function send(): void {
    const batch = gathered
    gathered = []
    port.post(batch)
  }
  return (envelope) => {
    if (gathered.push(envelope) === 1) setImmediate(send)
  }
}

interface Answers {
  give(number: number, question: unknown): void
  cancel(number: number): void
  close(): void
}

function createAnswers(answer: Answer, post: (envelope: Envelope) => void): Answers {
  const underWay = new Map<number, AbortController>()
  let isClosed = false

  async function give(number: number, question: unknown): Promise<void> {
    const controller = new AbortController()
    underWay.set(number, controller)
    try {
      const content = await answer(question, controller.signal)
      if (!isClosed) post({ kind: 'answer', number, content })
    } catch (error) {
      const message = messageOf(error)
      if (!isClosed) post({ kind: 'failure', number, isUnavailable: error instanceof StoreUnavailable, message })
    } finally {
      underWay.delete(number)
    }
  }

  return {
    give: (number, question) => void give(number, question),
    cancel: (number) => underWay.get(number)?.abort(),
    close() {
      isClosed = true
      for (const controller of underWay.values()) controller.abort()
    },
  }
}
