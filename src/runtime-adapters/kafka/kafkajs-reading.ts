import { randomUUID } from 'node:crypto'
import type { Admin, Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import { type EndNote, NOTE_MS, noteEnd } from './end-notes.ts'
import type { IsWanted, KafkaConnection, ReplySelection, TransportSubscription } from './transport.ts'
import { within } from './transport-start.ts'

interface ReadingOptions {
  readonly kafka: Kafka
  readonly admin: Admin
  readonly connection: KafkaConnection
  readonly subscription: TransportSubscription
}

interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

const empty = Buffer.alloc(0)
const newPartitionsMs = 30_000
const sessionTimeoutMs = 10_000
const restartPauseMs = 250
const closeGraceMs = 2_000

/**
 * kafkajs reads in a group only. So each consumer has a group of its own, with one member and nothing committed: the positions
 * are kept here, and set again each time that a group forms. A consumer that fails is replaced, group and all: in its old
 * group the successor would wait until the broker misses the failed member, a minute and more.
 */
export class KafkajsReading implements ReplySelection {
  readonly #options: ReadingOptions
  readonly #positions = new Map<string, Map<number, bigint>>()
  /** Of partitions that are not read, by topic and partition. */
  readonly #notes = new Map<string, EndNote[]>()
  #isWanted: IsWanted = () => true
  #noteTimer: NodeJS.Timeout | undefined
  #consumer: Consumer | undefined
  #groupId = ''
  #readAtMs = Number.NEGATIVE_INFINITY
  #restart: NodeJS.Timeout | undefined
  /** Why the last consumer ended. */
  #crash = ''
  #closed = false

  constructor(options: ReadingOptions) {
    this.#options = options
  }

  /** Resolves when every position is fixed. */
  async start(): Promise<void> {
    const { admin, subscription } = this.#options
    for (const topic of subscription.replyTopics) {
      const offsets = await admin.fetchTopicOffsets(topic)
      this.#positions.set(topic, new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)])))
    }
    await this.#open()
  }

  /** `undefined` while replies are read. */
  trouble(): string | undefined {
    const silentMs = performance.now() - this.#readAtMs
    if (!this.#closed && silentMs < 2 * this.#options.connection.fetchWaitMs + 2_000) return undefined
    return Number.isFinite(silentMs)
      ? `No fetch of replies ended for ${Math.round(silentMs)} ms.`
      : `Nothing is read${this.#crash === '' ? ' yet' : `: ${this.#crash}`}.`
  }

  partitionsOf(topic: string): number | undefined {
    return this.#positions.get(topic)?.size
  }

  read(isWanted: IsWanted): void {
    if (this.#closed) return
    const before = this.#isWanted
    this.#isWanted = isWanted
    this.#noteTimer ??= setInterval(() => void this.#noteEnds().catch(() => undefined), NOTE_MS)
    for (const [topic, partition, offset] of this.#places()) {
      if (isWanted(topic, partition) === before(topic, partition)) continue
      this.#notes.delete(`${partition}/${topic}`)
      if (this.#consumer !== undefined) this.#place(this.#consumer, { topic, partition, offset })
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#noteTimer)
    clearTimeout(this.#restart)
    await this.#discard()
  }

  async #open(): Promise<void> {
    const { kafka, connection, subscription } = this.#options
    const groupId = `${connection.clientId}-${randomUUID()}`
    const consumer = createConsumer(kafka, groupId, connection)
    this.#consumer = consumer
    this.#groupId = groupId
    const joined = Promise.withResolvers<void>()
    consumer.on(consumer.events.GROUP_JOIN, () => {
      // Before the first fetch of this generation, so nothing is skipped and nothing read twice.
      this.#seekAll(consumer)
      this.#readAtMs = performance.now()
      joined.resolve()
    })
    consumer.on(consumer.events.FETCH, () => {
      this.#readAtMs = performance.now()
    })
    consumer.on(consumer.events.CRASH, ({ payload: { error } }) => {
      joined.reject(error)
      this.#crash = error.message
      if (this.#consumer === consumer) this.#replaceSoon()
    })
    // A join that fails after this start was given up.
    joined.promise.catch(() => undefined)
    await consumer.connect()
    // Where a position is not known (a partition added since) or no longer kept: from the first record that is.
    await consumer.subscribe({ topics: [...subscription.replyTopics], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.#take(payload) })
    await joined.promise
  }

  #replaceSoon(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY
    if (this.#closed || this.#restart !== undefined) return
    this.#restart = setTimeout(async () => {
      await this.#discard()
      this.#restart = undefined
      if (this.#closed) return
      await this.#open().catch(() => this.#replaceSoon())
      // Closed while it opened: `close` found nothing to discard yet.
      if (this.#closed) await this.#discard()
    }, restartPauseMs)
  }

  async #discard(): Promise<void> {
    const consumer = this.#consumer
    this.#consumer = undefined
    if (consumer === undefined) return
    await within(closeGraceMs, consumer.disconnect()).catch(() => undefined)
    // What brokers would keep for days otherwise.
    await within(closeGraceMs, this.#options.admin.deleteGroups([this.#groupId])).catch(() => undefined)
  }

  #seekAll(consumer: Consumer): void {
    for (const [topic, partition, offset] of this.#places()) this.#place(consumer, { topic, partition, offset })
  }

  #place(consumer: Consumer, { topic, partition, offset }: Place): void {
    const partitions = [{ topic, partitions: [partition] }]
    if (!this.#isWanted(topic, partition)) {
      consumer.pause(partitions)
      return
    }
    consumer.seek({ topic, partition, offset: String(offset) })
    consumer.resume(partitions)
  }

  *#places(): Generator<readonly [topic: string, partition: number, offset: bigint]> {
    for (const [topic, inTopic] of this.#positions) {
      for (const [partition, offset] of inTopic) yield [topic, partition, offset]
    }
  }

  /** Where the partitions that are not read would be taken up; and whether partitions were added. */
  async #noteEnds(): Promise<void> {
    for (const [topic, inTopic] of this.#positions) {
      const atMs = performance.now()
      for (const { partition, high } of await this.#options.admin.fetchTopicOffsets(topic)) {
        const name = `${partition}/${topic}`
        const notes = this.#notes.get(name) ?? []
        const from = this.#isWanted(topic, partition) ? undefined : noteEnd(notes, { atMs, offset: BigInt(high) })
        if (notes.length > 0) this.#notes.set(name, notes)
        // One that was added is younger than the start, and so is all that stands in it.
        if (from !== undefined || !inTopic.has(partition)) inTopic.set(partition, from ?? 0n)
      }
    }
  }

  async #take({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch
    // It was asked for before the partition was left out; it comes again when it is wanted.
    if (!this.#isWanted(topic, partition)) return
    const inTopic = this.#positions.get(topic)
    for (const { key, value, offset: text } of batch.messages) {
      const offset = BigInt(text)
      inTopic?.set(partition, offset + 1n)
      this.#options.subscription.onRecord({ topic, partition, offset, key: key ?? empty, value: value ?? empty })
    }
    // Past transaction markers too, which are no messages.
    inTopic?.set(partition, BigInt(batch.lastOffset()) + 1n)
    resolveOffset(batch.lastOffset())
  }
}

function createConsumer(kafka: Kafka, groupId: string, { fetchWaitMs, isolation }: KafkaConnection): Consumer {
  return kafka.consumer({
    groupId,
    maxWaitTimeInMs: fetchWaitMs,
    minBytes: 1,
    readUncommitted: isolation === 'uncommitted',
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: sessionTimeoutMs,
    metadataMaxAge: newPartitionsMs,
    allowAutoTopicCreation: false,
    retry: { initialRetryTime: 100, retries: 1, restartOnFailure: async () => false },
  })
}
