import { messageOf } from '../../entity-registry/message-of.ts'
import type { InvocationRecord, InvocationStore, OpenResult } from '../../routes/invocation-store.ts'
import { ProblemError, problemAnswer } from '../../routes/problem.ts'
import type { HttpAnswer } from '../../routes/to-http.ts'
import type { Log } from '../../runtime-adapters/contract.ts'
import { createLivingReplicas } from './living-replicas.ts'
import type { RedisServers } from './redis-client.ts'
import { createRedisCommands, DEAD_AFTER_MS, type RedisCommands } from './redis-commands.ts'
import { RedisConnection } from './redis-connection.ts'
import { createRetries, type Retries } from './retries.ts'
import { createWaiters } from './waiters.ts'

export interface RedisStoreOptions {
  readonly servers: RedisServers
  /** How all keys and the channel begin. */
  readonly prefix: string
  /** Milliseconds that a finished invocation stays. */
  readonly retentionMs: number
  readonly log: Log
}

/** Milliseconds between two looks for what no message told. */
const TICK_MS = 1_000
/** Invocations that are looked at in one go. */
const LOOKS = 500
/** Writes that may wait for Redis to come back. */
const MAX_RETRIES = 20_000

/**
 * Invocations in Redis or Valkey: any replica answers for any of them, and learns of ends by messages on one channel. Messages
 * can be lost, so those that are waited for are looked at from time to time too.
 */
export class RedisStore implements InvocationStore {
  readonly name = 'redis'
  readonly isShared = true
  readonly #connection: RedisConnection
  readonly #commands: RedisCommands
  readonly #ends = createWaiters<HttpAnswer>()
  readonly #acceptances = createWaiters<HttpAnswer | 'accepted'>()
  readonly #retries: Retries
  readonly #living = createLivingReplicas(DEAD_AFTER_MS)
  #tick: NodeJS.Timeout | undefined
  #lookedAt = 0
  #closing: Promise<void> | undefined

  constructor({ servers, prefix, retentionMs, log }: RedisStoreOptions) {
    const channel = `${prefix}:ended`
    this.#retries = createRetries({ patienceMs: retentionMs, maxWaiting: MAX_RETRIES })
    this.#connection = new RedisConnection({
      ...{ servers, log, name: 'the invocation store', consequence: 'calls that need it get 503' },
      listener: {
        channel,
        onMessage: (id) => void this.#lookFor([id]),
        onListening: () => void this.#lookForAll(),
      },
      onBack: () => void this.#catchUp(),
    })
    this.#commands = createRedisCommands({ connection: this.#connection, prefix, channel, retentionMs })
  }

  /** A Redis that is away does not stop the start: calls that don't need it are answered without. */
  async start(): Promise<void> {
    this.#tick ??= setInterval(() => void this.#everySecond(), TICK_MS).unref()
    await this.#connection.start()
  }

  async open(record: InvocationRecord, scope: string | undefined): Promise<OpenResult> {
    const { id } = record
    const wasReady = this.#connection.isReady
    try {
      return await this.#commands.open(record, scope)
    } catch (error) {
      if (wasReady) this.#undo(id, scope)
      throw error
    }
  }

  async read(id: string): Promise<InvocationRecord | 'gone' | undefined> {
    const found = await this.#commands.look(id)
    switch (found.kind) {
      case 'kept':
      case 'released':
        return found.record
      case 'gone':
        return 'gone'
      case 'none':
        return undefined
    }
  }

  async accept(id: string): Promise<void> {
    this.#acceptances.wake(id, 'accepted')
    await this.#commands.accept(id)
  }

  async finish(id: string, answer: HttpAnswer): Promise<boolean> {
    const { kind, scope } = await this.#commands.finish(id, answer)
    // Should Redis have lost the record, those who wait here are told all the same.
    if (kind !== 'late') this.#wake(id, answer)
    if (scope !== undefined) this.#hold(scope, id)
    return kind === 'finished'
  }

  async release(id: string, scope: string | undefined, answer: HttpAnswer): Promise<void> {
    this.#wake(id, answer)
    await this.#commands.release(id, scope, answer)
  }

  /** Rejects when Redis is away now. Should it go later, the wait goes on: the answer may come when it is back. */
  waitFor(id: string, untilMs: number, signal?: AbortSignal): Promise<HttpAnswer | undefined> {
    const wait = (stop: AbortSignal) => this.#ends.wait(id, untilMs - Date.now(), stop)
    return this.#waitFor({ id, wait, signal, asksForAcceptance: false, seenIn: ({ answer }) => answer })
  }

  waitForAcceptance(id: string, untilMs: number, signal?: AbortSignal): Promise<HttpAnswer | 'accepted' | undefined> {
    const wait = (stop: AbortSignal) => this.#acceptances.wait(id, untilMs - Date.now(), stop)
    return this.#waitFor({ id, wait, signal, asksForAcceptance: true, seenIn: acceptanceSeenIn })
  }

  async #waitFor<News>(waiting: WaitingFor<News>): Promise<News | HttpAnswer | undefined> {
    const { id, wait, signal, asksForAcceptance, seenIn } = waiting
    const settled = new AbortController()
    const stop = signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal])
    // Before the look: an end between the two is told by a message.
    const told = wait(stop)
    try {
      const found = await this.#commands.look(id, asksForAcceptance)
      if (found.kind === 'released') return found.answer
      // Of what is not there, no end will be told.
      if (found.kind !== 'kept') return undefined
      return seenIn(found.record) ?? (await told)
    } finally {
      settled.abort()
    }
  }

  async beat(replica: string): Promise<ReadonlySet<string>> {
    return this.#living.seen(await this.#commands.beat(replica))
  }

  leave(replica: string): Promise<void> {
    return this.#commands.leave(replica)
  }

  async health(): Promise<{ readonly ok: boolean; readonly detail: string }> {
    try {
      await this.#connection.ping()
      return { ok: true, detail: 'Redis answers; all replicas see the same invocations.' }
    } catch (error) {
      return { ok: false, detail: messageOf(error) }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#tick)
    this.#ends.close()
    this.#acceptances.close()
    await this.#retries.close()
    this.#connection.close()
  }

  /**
   * Redis may have taken it all the same. The caller of one with a scope is told that nothing was sent, so nobody who has joined it
   * may be made to wait. Of one without, nobody knows; its call may have been sent.
   */
  #undo(id: string, scope: string | undefined): void {
    if (scope === undefined) {
      this.#untilDone(() => this.#commands.drop(id))
      return
    }
    const undone = new ProblemError('store_unavailable', { detail: 'The call was not sent.', invocationId: id })
    this.#untilDone(() => this.#commands.release(id, scope, problemAnswer(undone, id)))
  }

  /** A scope that is not held long enough would let a key be used twice; one that is held too long does no harm. */
  #hold(scope: string, id: string): void {
    this.#untilDone(() => this.#commands.holdScope(scope, id))
  }

  /** Nobody waits for it. Given up, it would be of no use any more. */
  #untilDone(write: () => Promise<void>): void {
    this.#retries.run(write).catch(() => undefined)
  }

  async #everySecond(): Promise<void> {
    if (!this.#connection.isReady) return
    const ids = this.#awaited()
    const from = this.#lookedAt >= ids.length ? 0 : this.#lookedAt
    this.#lookedAt = from + LOOKS
    await this.#lookFor(ids.slice(from, from + LOOKS))
  }

  async #catchUp(): Promise<void> {
    this.#living.distrust()
    await this.#lookForAll()
  }

  #wake(id: string, answer: HttpAnswer): void {
    this.#ends.wake(id, answer)
    this.#acceptances.wake(id, answer)
  }

  #awaited(): readonly string[] {
    return [...new Set([...this.#ends.ids, ...this.#acceptances.ids])]
  }

  async #lookForAll(): Promise<void> {
    const ids = this.#awaited()
    for (let from = 0; from < ids.length; from += LOOKS) await this.#lookFor(ids.slice(from, from + LOOKS))
  }

  async #lookFor(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.filter((id) => this.#ends.has(id) || this.#acceptances.has(id)).map((id) => this.#lookAndTell(id)),
    )
  }

  async #lookAndTell(id: string): Promise<void> {
    try {
      const found = await this.#commands.look(id)
      const answer = found.kind === 'released' ? found.answer : found.kind === 'kept' ? found.record.answer : undefined
      if (answer !== undefined) this.#wake(id, answer)
      else if (found.kind === 'kept' && found.record.state === 'running') this.#acceptances.wake(id, 'accepted')
    } catch {
      // It is looked at again.
    }
  }
}

interface WaitingFor<News> {
  readonly id: string
  readonly wait: (stop: AbortSignal) => Promise<News | undefined>
  readonly signal: AbortSignal | undefined
  readonly asksForAcceptance: boolean
  readonly seenIn: (record: InvocationRecord) => News | undefined
}

function acceptanceSeenIn({ state, answer }: InvocationRecord): HttpAnswer | 'accepted' | undefined {
  return answer ?? (state === 'queued' ? undefined : 'accepted')
}
