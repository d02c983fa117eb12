import { IncomingMessage } from 'node:http'

/** Is told of a body as it comes: some chunks, then its end or why there is none. A chunk is the parser's own memory, and is another's after the call. */
export interface BodyTaker {
  chunk(bytes: Buffer): void
  end(): void
  fail(error: Error): void
}

/**
 * A request whose body can be taken as it comes from Node's parser. Small bodies come with their headers, and what makes a stream of them (its
 * resumption, listeners, a turn of the queue until its end) costs more than to parse them.
 */
export class GatewayRequest extends IncomingMessage {
  #taker: BodyTaker | undefined

  static {
    // Whether nothing more is to come is what Node asks before it lets go of a request.
    const streamed = Reflect.getOwnPropertyDescriptor(Object.getPrototypeOf(IncomingMessage.prototype), 'readableEnded')
    Object.defineProperty(GatewayRequest.prototype, 'readableEnded', {
      get(this: GatewayRequest) {
        return this.#taker === undefined ? streamed?.get?.call(this) : this.complete
      },
    })
  }

  /** From now on there is no stream: of its events only `end` is emitted. @returns false where some of the body has come already, or somebody reads it */
  takeBody(taker: BodyTaker): boolean {
    const isRead = this.#taker !== undefined || this.readableFlowing !== null
    if (isRead || this.complete || this.destroyed || this.readableLength > 0) return false
    this.#taker = taker
    // What a first read does, so that Node does not think that the body is still to be thrown away.
    this._read(0)
    return true
  }

  /** The body will not be waited for any longer. @returns false where nobody has taken it */
  failBody(error: Error): boolean {
    this.#taker?.fail(error)
    return this.#taker !== undefined
  }

  /** Called by Node's parser; `null`: that was all. */
  override push(chunk: Buffer | null): boolean {
    if (this.#taker === undefined) return super.push(chunk)
    if (chunk === null) {
      this.#taker.end()
      this.emit('end')
    } else this.#taker.chunk(chunk)
    return true
  }
}

/** Whoever reads the body is told that no more of it will come. @returns false where nobody reads it */
export function failBody(request: IncomingMessage, error: Error): boolean {
  if (request instanceof GatewayRequest && request.failBody(error)) return true
  // An error that nobody hears would end the process.
  return request.listenerCount('error') > 0 && request.emit('error', error)
}
