import type { FastifyBaseLogger } from 'fastify'

type Bindings = Parameters<FastifyBaseLogger['child']>[0]
/** What a route says of its own log: its level, its serializers. */
export type RequestLogOptions = Parameters<FastifyBaseLogger['child']>[1]
type LogFn = FastifyBaseLogger['info']

/** A request's log. Few requests write to theirs, so the child that says of each line whose it is, is made at the first. */
export function createRequestLog(
  log: FastifyBaseLogger,
  bindings: Bindings,
  how?: RequestLogOptions,
): FastifyBaseLogger {
  return new RequestLog(log, bindings, how)
}

/** Methods that only pass on, on a prototype: a request then has one small object. */
class RequestLog implements FastifyBaseLogger {
  readonly #log: FastifyBaseLogger
  readonly #bindings: Bindings
  readonly #how: RequestLogOptions
  #child: FastifyBaseLogger | undefined

  constructor(log: FastifyBaseLogger, bindings: Bindings, how: RequestLogOptions) {
    this.#log = log
    this.#bindings = bindings
    this.#how = how
  }

  get #own(): FastifyBaseLogger {
    this.#child ??= this.#log.child(this.#bindings, this.#how)
    return this.#child
  }

  get level(): string {
    return this.#own.level
  }

  set level(level: string) {
    this.#own.level = level
  }

  fatal(...line: Parameters<LogFn>): void {
    this.#own.fatal(...line)
  }

  error(...line: Parameters<LogFn>): void {
    this.#own.error(...line)
  }

  warn(...line: Parameters<LogFn>): void {
    this.#own.warn(...line)
  }

  info(...line: Parameters<LogFn>): void {
    this.#own.info(...line)
  }

  debug(...line: Parameters<LogFn>): void {
    this.#own.debug(...line)
  }

  trace(...line: Parameters<LogFn>): void {
    this.#own.trace(...line)
  }

  silent(...line: Parameters<LogFn>): void {
    this.#own.silent(...line)
  }

  child(...how: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#own.child(...how)
  }
}
