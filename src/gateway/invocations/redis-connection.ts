import { messageOf } from '../../entity-registry/message-of.ts'
import { StoreUnavailable } from '../../routes/invocation-store.ts'
import type { Log } from '../../runtime-adapters/contract.ts'
import { createRedisClient, type RedisClient, type RedisServers } from './redis-client.ts'
import type { RedisScript } from './redis-scripts.ts'

export interface RedisConnectionOptions {
  readonly servers: RedisServers
  readonly log: Log
  /** What is kept there, and what its absence means, for the log. */
  readonly name: string
  readonly consequence: string
  /** `undefined`: nobody listens, and one connection is enough. */
  readonly listener?: RedisListener
  /** After an outage. */
  readonly onBack?: () => void
}

export interface RedisListener {
  readonly channel: string
  readonly onMessage: (message: string) => void
  /** Messages may have been missed. */
  readonly onListening: () => void
}

export interface RedisCommand {
  readonly script: RedisScript
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
  /** As `defaultDeadline`: when the caller gives up; default: the servers’ `timeoutMs` from now. */
  readonly until?: number | undefined
}

/** Told from other failures by what it is: a timer may be early by a millisecond. */
const LATE = new Error('it did not answer in time')
/** Commands that may be under way at once. */
const MAX_IN_FLIGHT = 20_000

/**
 * One connection for commands and, where somebody listens, one for that. Both come back by themselves; until then every command is refused at
 * once. A server that accepts commands and answers none is left after the first that is late, so nothing piles up.
 */
export class RedisConnection {
  readonly #client: RedisClient
  readonly #subscriber: RedisClient | undefined
  readonly #options: RedisConnectionOptions
  #inFlight = 0
  #lastReplyAt = Number.NEGATIVE_INFINITY
  #trouble = 'it is not connected yet'
  #isClosed = false
  #isLeaving = false
  #wasAway = false

  constructor(options: RedisConnectionOptions) {
    this.#options = options
    this.#client = createRedisClient(options.servers)
    const { servers, listener } = options
    // A cluster's client has a subscriber of its own inside.
    const isOne = listener === undefined || servers.address.kind === 'cluster'
    this.#subscriber = listener && (isOne ? this.#client : createRedisClient(servers))
    this.#watch()
  }

  /** Waits for the server as long as for any exchange. A server that is away does not stop the start. */
  async start(): Promise<void> {
    const connected = Promise.allSettled(this.#clients().map((client) => client.connect()))
    await within(connected, this.defaultDeadline()).catch(() => undefined)
    if (!this.isReady) this.#noteAway()
  }

  get isReady(): boolean {
    return this.#client.status === 'ready' && !this.#isLeaving && !this.#isClosed
  }

  /** When an exchange that begins now is given up, in milliseconds by the clock that is never set. */
  defaultDeadline(): number {
    return performance.now() + this.#options.servers.timeoutMs
  }

  /** @throws StoreUnavailable, at the latest at `until` */
  async run({ script, keys, args, until = this.defaultDeadline() }: RedisCommand): Promise<unknown> {
    return this.#exchange(until, async () => {
      const all = [...keys, ...args]
      try {
        return await this.#client.evalsha(script.sha1, keys.length, ...all)
      } catch (error) {
        // A server that was restarted knows no scripts.
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
        return this.#client.eval(script.lua, keys.length, ...all)
      }
    })
  }

  /** @throws StoreUnavailable */
  async ping(): Promise<void> {
    await this.#exchange(this.defaultDeadline(), () => this.#client.ping())
  }

  close(): void {
    this.#isClosed = true
    for (const client of this.#clients()) client.disconnect()
  }

  #clients(): readonly RedisClient[] {
    return [...new Set([this.#client, this.#subscriber ?? this.#client])]
  }

  async #exchange<T>(until: number, send: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new StoreUnavailable('The store is closed.')
    if (!this.isReady) throw new StoreUnavailable(`Redis can’t be reached: ${this.#trouble}.`)
    if (this.#inFlight >= MAX_IN_FLIGHT)
      throw new StoreUnavailable(`${this.#inFlight} exchanges with Redis are under way.`)
    this.#inFlight++
    const sentAt = performance.now()
    const settled = send().finally(() => {
      this.#inFlight--
    })
    try {
      const reply = await within(settled, until)
      this.#lastReplyAt = performance.now()
      return reply
    } catch (error) {
      if (error === LATE) this.#leaveSilentServer(sentAt)
      throw new StoreUnavailable(this.#reasonOf(error))
    }
  }

  /** Why a connection is not there, rather than that it is not. */
  #reasonOf(error: unknown): string {
    const message = messageOf(error).replace(/\.$/, '')
    return /closed|writeable|MaxRetries|max retries/i.test(message)
      ? `Redis can’t be reached: ${this.#trouble}.`
      : `Redis failed: ${message}.`
  }

  /** Reconnecting refuses what is under way and whatever comes next, until the server answers again. */
  #leaveSilentServer(sentAt: number): void {
    if (!this.isReady || this.#lastReplyAt >= sentAt) return
    this.#trouble = 'it does not answer'
    this.#isLeaving = true
    this.#client.disconnect(true)
  }

  #watch(): void {
    const { log, name, listener, onBack } = this.#options
    const note = ({ message }: Error) => {
      this.#trouble = message.replace(/\.$/, '')
    }
    for (const client of this.#clients()) client.on('error', note)
    this.#client.on('close', () => this.#noteAway())
    this.#client.on('ready', () => {
      this.#trouble = 'the connection was lost'
      this.#isLeaving = false
      if (!this.#wasAway) return
      this.#wasAway = false
      log.info({}, `${name} is back`)
      onBack?.()
    })
    const subscriber = this.#subscriber
    if (subscriber === undefined || listener === undefined) return
    const { channel, onMessage, onListening } = listener
    subscriber.on('ready', () => void subscriber.subscribe(channel).then(onListening, note))
    subscriber.on('message', (_channel: string, message: string) => onMessage(message))
  }

  #noteAway(): void {
    if (this.#wasAway || this.#isClosed) return
    this.#wasAway = true
    const { log, name, consequence } = this.#options
    log.warn({ detail: this.#trouble }, `${name} is away; ${consequence}`)
  }
}

async function within<T>(promise: Promise<T>, until: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(reject, Math.max(0, until - performance.now()), LATE)
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
