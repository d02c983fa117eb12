import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Failure } from './failure.ts'
import { MAX_ANSWER_BYTES, TOO_LARGE, unpack } from './unpack.ts'

export const MEDIA_TYPE = 'application/octet-stream'

/** What is read of an answer that is none, so that its connection can be used again. */
const MAX_DRAIN_BYTES = 65_536
const DRAIN_MS = 1_000

export type Exchange = { readonly kind: 'answered'; readonly body: Buffer } | Failure

type Controller = Dispatcher.DispatchController

/** One request’s way: settles once, at the latest when its time is used up, and leaves no connection that never ends. */
export class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (exchange: Exchange) => void
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout
  /** Since the connection is there: from then on the request may have arrived. */
  #controller: Controller | undefined
  #isSettled = false
  #encoding = 'identity'
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(timeoutMs: number, resolve: (exchange: Exchange) => void) {
    this.#timeoutMs = timeoutMs
    this.#resolve = resolve
    this.#timer = setTimeout(expire, timeoutMs, this)
  }

  /** The time is used up: the request’s, or that of the rest of an answer which nobody wants. */
  expire(): void {
    this.#fail(`No answer came within ${this.#timeoutMs} ms.`)
    this.#controller?.abort(ENDED)
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#isSettled) controller.abort(ENDED)
  }

  onResponseStart(_controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    // What is below is no answer yet.
    if (status < 200) return
    const failure = failureOf(status, headers)
    if (failure === undefined) {
      this.#encoding = String(headers['content-encoding'] ?? 'identity')
      return
    }
    this.#settle(failure)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(expire, DRAIN_MS, this)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#isSettled) {
      if (this.#bytes > MAX_DRAIN_BYTES) controller.abort(ENDED)
    } else if (this.#bytes > MAX_ANSWER_BYTES) {
      this.#settle(TOO_LARGE)
      controller.abort(ENDED)
    } else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer)
    if (this.#isSettled) return
    const [first, ...others] = this.#chunks
    const body = first !== undefined && others.length === 0 ? first : Buffer.concat(this.#chunks)
    if (this.#encoding === 'identity' || body.length === 0) this.#settle({ kind: 'answered', body })
    else void unpack(body, this.#encoding).then((exchange) => this.#settle(exchange))
  }

  onResponseError(_controller: Controller, error: Error): void {
    clearTimeout(this.#timer)
    // Where several addresses were tried in vain, there is a code only.
    this.#fail(error.message === '' && 'code' in error ? String(error.code) : error.message)
  }

  #fail(detail: string): void {
    this.#settle({ kind: this.#controller === undefined ? 'unreached' : 'lost', detail })
  }

  #settle(exchange: Exchange): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#chunks = []
    this.#resolve(exchange)
  }
}

const ENDED = new Error('The exchange has ended.')

function expire(handler: ExchangeHandler): void {
  handler.expire()
}

function failureOf(status: number, headers: IncomingHttpHeaders): Failure | undefined {
  if (status > 299) return { kind: 'answered-error', detail: `HTTP ${status}` }
  // What is sent twice is a list.
  const given = String(headers['content-type'] ?? '')
  if (given === MEDIA_TYPE) return undefined
  const mediaType = given.split(';')[0]?.trim().toLowerCase()
  if (mediaType === MEDIA_TYPE) return undefined
  return { kind: 'unusable-answer', detail: `The answer’s content-type is "${mediaType}", not "${MEDIA_TYPE}".` }
}
