import type { IncomingMessage } from 'node:http'
import { errorCodes, type FastifyRequest } from 'fastify'
import { type BodyTaker, GatewayRequest } from './taken-body.ts'

type Done = (error: Error | null, body?: Buffer) => void

/**
 * The whole body, as soon as it is there: in the same turn, where it has come with its headers.
 * @param payload the request, or what a hook has made of it
 * @param done is told once; its bytes may be another's after the call
 */
export function readBody({ headers, routeOptions, raw }: FastifyRequest, payload: IncomingMessage, done: Done): void {
  const { bodyLimit, config } = routeOptions
  const announced = Number(headers['content-length'])
  if (announced > bodyLimit) {
    done(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    return
  }
  const body = new WholeBody(bodyLimit, announced, done)
  // Whoever wrote a custom route may listen to its stream.
  const isOurs = payload === raw && config.operation !== undefined
  if (isOurs && payload instanceof GatewayRequest && payload.takeBody(body)) return
  payload.on('data', (chunk: Buffer) => body.chunk(chunk))
  payload.on('end', () => body.end())
  payload.on('error', (error: Error) => body.fail(error))
}

class WholeBody implements BodyTaker {
  readonly #limit: number
  /** Bytes that are to come; not a number where nobody has said. */
  readonly #announced: number
  readonly #done: Done
  #chunks: Buffer[] = []
  #length = 0
  #isOver = false

  constructor(limit: number, announced: number, done: Done) {
    this.#limit = limit
    this.#announced = announced
    this.#done = done
  }

  chunk(bytes: Buffer): void {
    if (this.#isOver) return
    this.#length += bytes.length
    if (this.#length > this.#limit) this.fail(new errorCodes.FST_ERR_CTP_BODY_TOO_LARGE())
    // What is all there is, is read before the parser's memory is another's.
    else this.#chunks.push(bytes.length === this.#announced ? bytes : Buffer.from(bytes))
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    const chunks = this.#chunks
    // The request is kept for as long as its call waits; its bytes are not.
    this.#chunks = []
    const [first] = chunks
    this.#done(null, first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, this.#length))
  }

  fail(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#chunks = []
    this.#done(error)
  }
}
