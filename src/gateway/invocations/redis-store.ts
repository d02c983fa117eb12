import type { InvocationRecord, InvocationStore, OpenResult, StoredAnswer } from '../../routes/invocation-store.ts'
import { ProblemError, problemAnswer } from '../../routes/problem.ts'
import type { Log } from '../../runtime-adapters/contract.ts'
import { createLaterWrites } from './later-writes.ts'
import { createLivingReplicas } from './living-replicas.ts'
import type { RedisServers } from './redis-client.ts'
import { createRedisCommands, DEAD_AFTER_MS, type RedisCommands } from './redis-commands.ts'
import { RedisConnection } from './redis-connection.ts'
import { createWaiters } from './waiters.ts'

export interface RedisStoreOptions {
  readonly servers: RedisServers
  /** How all keys and the channel begin. */
  readonly prefix: string
  /** Milliseconds that a finished invocation stays. */
  readonly retentionMs: number
  readonly log: Log
}

/** Milliseconds between two looks for what no message told, and between two attempts at writes that failed. */
const TICK_MS = 1_000
/** Invocations that are looked at in one go. */
const LOOKS = 500
/** Writes that may wait for Redis to come back. */
const MAX_LATER_WRITES = 20_000
/** Milliseconds that the end may be put off by writes that have failed before. */
const LAST_WRITES_MS = 500

/**
 * Invocations in Redis or Valkey: any replica answers for any of them, and learns of ends by messages on one channel. Messages
 * can be lost, so those that are waited for are looked at from time to time too.
 */
export class RedisStore implements InvocationStore {
  readonly name = 'redis'
  readonly isShared = true
  readonly #retentionMs: number
  readonly #connection: RedisConnection
  readonly #commands: RedisCommands
  readonly #waiters = createWaiters()
  readonly #later = createLaterWrites(MAX_LATER_WRITES)
  readonly #living = createLivingReplicas(DEAD_AFTER_MS)
  #tick: NodeJS.Timeout | undefined
  #lookedAt = 0
  #closing: Promise<void> | undefined

  constructor({ servers, prefix, retentionMs, log }: RedisStoreOptions) {
    const channel = `${prefix}:ended`
    this.#retentionMs = retentionMs
    this.#connection = new RedisConnection({
      ...{ servers, channel, log },
      onMessage: (id) => void this.#lookFor([id]),
      onListening: () => void this.#lookForAll(),
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
      if (wasReady && scope !== undefined) this.#undo(id, scope)
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

  async finish(id: string, answer: StoredAnswer): Promise<boolean> {
    const { kind, scope } = await this.#commands.finish(id, answer)
    // Should Redis have lost the record, those who wait here are told all the same.
    if (kind !== 'late') this.#waiters.wake(id, answer)
    if (scope !== undefined) this.#hold(scope, id)
    return kind === 'finished'
  }

  async release(id: string, scope: string | undefined, answer: StoredAnswer): Promise<void> {
    this.#waiters.wake(id, answer)
    await this.#commands.release(id, scope, answer)
  }

  /** Rejects when Redis is away now. Should it go later, the wait goes on: the answer may come when it is back. */
  async waitFor(id: string, untilMs: number, signal?: AbortSignal): Promise<StoredAnswer | undefined> {
    const settled = new AbortController()
    const stop = signal === undefined ? settled.signal : AbortSignal.any([signal, settled.signal])
    // Before the look: an end between the two is told by a message.
    const told = this.#waiters.wait(id, untilMs - Date.now(), stop)
    try {
      const found = await this.#commands.look(id)
      if (found.kind === 'released') return found.answer
      // Of what is not there, no end will be told.
      if (found.kind !== 'kept') return undefined
      return found.record.answer ?? (await told)
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
      return { ok: false, detail: error instanceof Error ? error.message : String(error) }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#tick)
    this.#waiters.close()
    if (this.#connection.isReady && this.#later.size > 0) {
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, LAST_WRITES_MS)
      await Promise.race([this.#later.flush(), late])
      clearTimeout(timer)
    }
    this.#connection.close()
  }

  /** Redis may have taken it all the same. Its caller is told that nothing was sent, so nobody may be made to wait for it. */
  #undo(id: string, scope: string): void {
    const undone = new ProblemError('store_unavailable', { detail: 'The call was not sent.', invocationId: id })
    this.#writeLater(id, () => this.#commands.release(id, scope, problemAnswer(undone, id)))
  }

  /** A scope that is not held long enough would let a key be used twice; one that is held too long does no harm. */
  #hold(scope: string, id: string): void {
    const hold = () => this.#commands.holdScope(scope, id)
    hold().catch(() => this.#writeLater(`scope of ${id}`, hold))
  }

  #writeLater(name: string, write: () => Promise<unknown>): void {
    this.#later.add({ name, until: Date.now() + this.#retentionMs, write })
  }

  async #everySecond(): Promise<void> {
    if (!this.#connection.isReady) return
    await this.#later.flush()
    const ids = [...this.#waiters.ids]
    const from = this.#lookedAt >= ids.length ? 0 : this.#lookedAt
    this.#lookedAt = from + LOOKS
    await this.#lookFor(ids.slice(from, from + LOOKS))
  }

  async #catchUp(): Promise<void> {
    this.#living.distrust()
    await this.#later.flush()
    await this.#lookForAll()
  }

  async #lookForAll(): Promise<void> {
    const ids = [...this.#waiters.ids]
    for (let from = 0; from < ids.length; from += LOOKS) await this.#lookFor(ids.slice(from, from + LOOKS))
  }

  async #lookFor(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.filter((id) => this.#waiters.has(id)).map((id) => this.#lookAndTell(id)))
  }

  async #lookAndTell(id: string): Promise<void> {
    try {
      const found = await this.#commands.look(id)
      const answer = found.kind === 'released' ? found.answer : found.kind === 'kept' ? found.record.answer : undefined
      if (answer !== undefined) this.#waiters.wake(id, answer)
    } catch {
      // It is looked at again.
    }
  }
}
