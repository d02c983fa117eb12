import kafkajs, { type Admin, type Producer } from 'kafkajs'
import type { Log } from '../contract.ts'
import { createClientTransport, leaderless, type RunningClient } from './client-transport.ts'
import { produceEach } from './kafkajs-produce.ts'
import { KafkajsReading } from './kafkajs-reading.ts'
import {
  createKafka,
  createProduceCount,
  ensureTopics,
  explained,
  isFinal,
  type ProduceCount,
} from './kafkajs-start.ts'
import { type PlaceOptions, placeOf } from './record-place.ts'
import { type ProducePort, SendBatcher } from './send-batcher.ts'
import {
  type IsWanted,
  type KafkaConnection,
  type KafkaRecord,
  type KafkaTransport,
  type SendResult,
  TransportStartError,
  type TransportSubscription,
} from './transport.ts'
import { within } from './transport-start.ts'

const closeGraceMs = 1_000

/** Over `kafkajs`, which can't fetch without a group: see `kafkajs-reading.ts`. */
export function createKafkajsTransport(connection: KafkaConnection, log: Log): KafkaTransport {
  const { compression } = connection
  if (compression !== 'none' && compression !== 'gzip') {
    throw new TransportStartError(`kafkajs can't compress with ${compression}; it can do none, gzip.`)
  }
  return createClientTransport({
    name: 'kafkajs',
    brokers: connection.brokers,
    isFinal,
    open: (subscription) => new Running(connection, subscription, log),
  })
}

class Running implements RunningClient {
  readonly #connection: KafkaConnection
  readonly #subscription: TransportSubscription
  readonly #count: ProduceCount = createProduceCount()
  readonly #admin: Admin
  readonly #producer: Producer
  readonly #makeReading: () => KafkajsReading
  readonly #batcher: SendBatcher
  /** Of each topic, the nodes that lead its partitions. */
  readonly #leaders = new Map<string, ReadonlyMap<number, number>>()
  readonly #place: PlaceOptions
  #brokers: ReadonlySet<number> = new Set()
  #reading: KafkajsReading | undefined

  constructor(connection: KafkaConnection, subscription: TransportSubscription, log: Log) {
    this.#connection = connection
    this.#subscription = subscription
    const { maxRecordBytes } = connection
    this.#place = { maxRecordBytes, partitionsOf: (topic) => this.#leaders.get(topic)?.size }
    const kafka = createKafka(connection, log, this.#count.socketFactory)
    this.#admin = kafka.admin()
    this.#producer = kafka.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    })
    this.#makeReading = () => new KafkajsReading({ kafka, admin: this.#admin, connection, subscription })
    this.#batcher = new SendBatcher({
      port: this.#producePort(),
      sendTimeoutMs: connection.sendTimeoutMs,
      maxBatchBytes: maxRecordBytes,
    })
  }

  async start(): Promise<void> {
    await this.#admin.connect()
    await ensureTopics(this.#admin, this.#connection, this.#subscription)
    await this.refresh()
    await this.#producer.connect()
    await this.#reading?.close()
    this.#reading = this.#makeReading()
    await this.#reading.start().catch((error: unknown) => {
      throw explained(error, this.#connection.clientId)
    })
  }

  async send(record: KafkaRecord): Promise<SendResult> {
    const place = placeOf(record, this.#place)
    return typeof place === 'number' ? this.#batcher.add(record, place) : place
  }

  trouble(): string | undefined {
    const counts = new Map([...this.#leaders].map(([topic, leaders]) => [topic, leaders.size]))
    return leaderless(counts, (topic, partition) => this.#leaderOf(topic, partition)) ?? this.#reading?.trouble()
  }

  partitionsOf(topic: string): number | undefined {
    return this.#reading?.partitionsOf(topic)
  }

  read(isWanted: IsWanted): void {
    this.#reading?.read(isWanted)
  }

  async close(): Promise<void> {
    await this.#batcher.close(closeGraceMs)
    await this.#reading?.close()
    const clients = [this.#producer.disconnect(), this.#admin.disconnect()]
    await within(closeGraceMs, Promise.allSettled(clients)).catch(() => undefined)
  }

  async refresh(): Promise<void> {
    const { brokers } = await this.#admin.describeCluster()
    this.#brokers = new Set(brokers.map(({ nodeId }) => nodeId))
    if (this.#subscription.requestTopics.length === 0) return
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [...this.#subscription.requestTopics] })
    for (const { name, partitions } of topics) {
      this.#leaders.set(name, new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader])))
    }
  }

  #leaderOf(topic: string, partition: number): number | undefined {
    const leader = this.#leaders.get(topic)?.get(partition)
    return leader !== undefined && this.#brokers.has(leader) ? leader : undefined
  }

  #producePort(): ProducePort {
    return {
      leaderOf: (topic, partition) => this.#leaderOf(topic, partition),
      refresh: () => this.refresh().catch(() => undefined),
      produce: (_leader, batches) =>
        produceEach(batches, {
          producer: this.#producer,
          connection: this.#connection,
          count: this.#count,
        }),
    }
  }
}
