import { randomUUID } from 'node:crypto'
import { Consumer, Producer } from '@platformatic/kafka'
import type { Log } from '../contract.ts'
import { createClientTransport, leaderless, metadataRefreshMs, type RunningClient } from './client-transport.ts'
import { createFetchPort } from './platformatic-fetch.ts'
import { produceTo, quickVersion } from './platformatic-produce.ts'
import { baseOptions, ensureTopics, isFinal } from './platformatic-start.ts'
import { type PlaceOptions, placeOf } from './record-place.ts'
import { ReplyReader } from './reply-reader.ts'
import { type ProducePort, SendBatcher } from './send-batcher.ts'
import type {
  IsWanted,
  KafkaConnection,
  KafkaRecord,
  KafkaTransport,
  SendResult,
  TransportSubscription,
} from './transport.ts'
import { within } from './transport-start.ts'

const closeGraceMs = 1_000

/** Over `@platformatic/kafka`: replies are fetched from the partitions' leaders directly, without a consumer group. */
export function createPlatformaticTransport(connection: KafkaConnection, log: Log): KafkaTransport {
  return createClientTransport({
    name: 'platformatic',
    brokers: connection.brokers,
    isFinal,
    open: (subscription) => new Running(connection, subscription, log),
  })
}

class Running implements RunningClient {
  readonly #connection: KafkaConnection
  readonly #subscription: TransportSubscription
  readonly #producer: Producer<Buffer, Buffer, Buffer, Buffer>
  readonly #consumer: Consumer
  readonly #batcher: SendBatcher
  readonly #reader: ReplyReader
  readonly #partitions = new Map<string, number>()
  readonly #place: PlaceOptions
  #produceVersion: number | undefined

  constructor(connection: KafkaConnection, subscription: TransportSubscription, log: Log) {
    this.#connection = connection
    this.#subscription = subscription
    const { maxRecordBytes } = connection
    this.#place = { maxRecordBytes, partitionsOf: (topic) => this.#partitions.get(topic) }
    const base = baseOptions(connection)
    this.#producer = new Producer({
      ...base,
      requestTimeout: connection.sendTimeoutMs,
      timeout: connection.sendTimeoutMs,
      compression: connection.compression,
      // Without sequence numbers a repeated produce may write twice, so the client repeats nothing; the batcher sends again
      // what surely was not appended. The client's idempotent mode is no way out: it drops its sequence state at each error.
      idempotent: false,
      repeatOnStaleMetadata: false,
    })
    this.#consumer = new Consumer({
      ...base,
      requestTimeout: connection.fetchWaitMs + 5_000,
      // Asked for by the constructor; without `consume` no group is ever joined.
      groupId: `${connection.clientId}-${randomUUID()}`,
      maxWaitTime: connection.fetchWaitMs,
      minBytes: 1,
    })
    this.#consumer.topics.trackAll(...subscription.replyTopics)
    this.#batcher = new SendBatcher({
      port: this.#producePort(),
      sendTimeoutMs: connection.sendTimeoutMs,
      maxBatchBytes: maxRecordBytes,
    })
    this.#reader = new ReplyReader({
      port: createFetchPort(this.#consumer, subscription, connection.isolation),
      onRecord: subscription.onRecord,
      refreshMs: metadataRefreshMs,
      log,
    })
  }

  async start(): Promise<void> {
    await ensureTopics(this.#connection, this.#subscription)
    await this.refresh()
    this.#produceVersion = quickVersion(await this.#producer.listApis(), this.#connection.compression)
    await this.#reader.start()
  }

  /** Not an async function: its frame would be kept until the acknowledgement. */
  send(record: KafkaRecord): Promise<SendResult> {
    const place = placeOf(record, this.#place)
    return typeof place === 'number' ? this.#batcher.add(record, place) : Promise.resolve(place)
  }

  trouble(): string | undefined {
    return (
      leaderless(this.#partitions, (topic, partition) => this.#leaderOf(topic, partition)) ?? this.#reader.trouble()
    )
  }

  partitionsOf(topic: string): number | undefined {
    return this.#reader.partitionsOf(topic)
  }

  read(isWanted: IsWanted): void {
    this.#reader.read(isWanted)
  }

  async close(): Promise<void> {
    this.#reader.close()
    await this.#batcher.close(closeGraceMs)
    const clients = [this.#producer.close(true), this.#consumer.close(true)]
    await within(closeGraceMs, Promise.allSettled(clients)).catch(() => undefined)
  }

  async refresh(): Promise<void> {
    const topics = [...this.#subscription.requestTopics]
    if (topics.length === 0) return
    const metadata = await this.#producer.metadata({ topics, forceUpdate: true })
    for (const topic of topics) {
      const count = metadata.topics.get(topic)?.partitionsCount
      if (count !== undefined) this.#partitions.set(topic, count)
    }
  }

  #leaderOf(topic: string, partition: number): number | undefined {
    const leader = this.#producer.currentMetadata?.topics.get(topic)?.partitions[partition]?.leader
    return leader !== undefined && this.#producer.currentMetadata?.brokers.has(leader) ? leader : undefined
  }

  #producePort(): ProducePort {
    return {
      leaderOf: (topic, partition) => this.#leaderOf(topic, partition),
      refresh: () => this.refresh().catch(() => undefined),
      produce: (leader, batches) =>
        produceTo(leader, batches, {
          producer: this.#producer,
          connection: this.#connection,
          version: this.#produceVersion,
        }),
    }
  }
}
