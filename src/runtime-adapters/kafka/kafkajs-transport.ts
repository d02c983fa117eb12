import kafkajs, { type Admin, type Producer } from 'kafkajs'
import type { Log } from '../contract.ts'
import { produceEach } from './kafkajs-produce.ts'
import { createReading, type KafkajsReading } from './kafkajs-reading.ts'
import {
  createKafka,
  createProduceCount,
  ensureTopics,
  explained,
  isFinal,
  type ProduceCount,
} from './kafkajs-start.ts'
import { partitionOfKey } from './partition-of-key.ts'
import { notSent, refusalOf, validPartition } from './record-check.ts'
import { createSendBatcher, type ProducePort, type SendBatcher } from './send-batcher.ts'
import type { IsWanted, KafkaConnection, KafkaRecord, KafkaTransport, TransportSubscription } from './transport.ts'
import { checkCompression, deepestMessage, startWithin, within } from './transport-start.ts'

const metadataRefreshMs = 30_000
const closeGraceMs = 1_000

/** Over `kafkajs`, which can't fetch without a group: see `kafkajs-reading.ts`. */
export function createKafkajsTransport(connection: KafkaConnection, log: Log): KafkaTransport {
  checkCompression('kafkajs', connection, ['none', 'gzip'])
  let running: Running | undefined
  let closed = false

  return {
    name: 'kafkajs',
    async start(subscription) {
      const starting = new Running(connection, subscription, log)
      running = starting
      try {
        await startWithin(connection.brokers, () => starting.start(), isFinal)
        if (closed) await starting.close()
      } catch (error) {
        await starting.close()
        throw error
      }
    },
    async send(record) {
      return running?.send(record) ?? notSent('The transport is not started.')
    },
    selection: {
      partitionsOf: (topic) => running?.partitionsOf(topic),
      read: (isWanted) => running?.read(isWanted),
    },
    async health() {
      return running?.health() ?? { ok: false, detail: 'The transport is not started.' }
    },
    async close() {
      closed = true
      await running?.close()
    },
  }
}

interface Route {
  readonly partitions: number
  /** `HOST:PORT` and node id by partition. */
  readonly leaders: ReadonlyMap<number, number>
}

class Running {
  readonly #connection: KafkaConnection
  readonly #subscription: TransportSubscription
  readonly #count: ProduceCount = createProduceCount()
  readonly #admin: Admin
  readonly #producer: Producer
  readonly #makeReading: () => KafkajsReading
  readonly #batcher: SendBatcher
  readonly #routes = new Map<string, Route>()
  #brokers: ReadonlyMap<number, string> = new Map()
  #reading: KafkajsReading | undefined
  #refresher: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(connection: KafkaConnection, subscription: TransportSubscription, log: Log) {
    this.#connection = connection
    this.#subscription = subscription
    const kafka = createKafka(connection, log, this.#count.socketFactory)
    this.#admin = kafka.admin()
    this.#producer = kafka.producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
    })
    this.#makeReading = () => createReading({ kafka, admin: this.#admin, connection, subscription })
    this.#batcher = createSendBatcher({
      port: this.#producePort(),
      sendTimeoutMs: connection.sendTimeoutMs,
      maxBatchBytes: connection.maxRecordBytes,
    })
  }

  async start(): Promise<void> {
    await this.#admin.connect()
    await ensureTopics(this.#admin, this.#connection, this.#subscription)
    await this.#refresh()
    await this.#producer.connect()
    await this.#reading?.close()
    this.#reading = this.#makeReading()
    await this.#reading.start().catch((error: unknown) => {
      throw explained(error, this.#connection.clientId)
    })
    if (this.#closing !== undefined) return
    this.#refresher = setInterval(() => void this.#refresh().catch(() => undefined), metadataRefreshMs)
  }

  async send(record: KafkaRecord) {
    const refusal = refusalOf(record, this.#connection.maxRecordBytes)
    if (refusal !== undefined) return refusal
    const count = this.#routes.get(record.topic)?.partitions
    if (count === undefined) return notSent(`The topic ${record.topic} is not known.`)
    const partition = validPartition(record.partition ?? partitionOfKey(record.key, count), count)
    if (partition === undefined) return notSent(`The topic ${record.topic} has no partition ${record.partition}.`)
    return this.#batcher.add(record, partition)
  }

  async health() {
    try {
      await within(900, this.#refresh())
      const trouble = this.#leaderless() ?? this.#reading?.trouble()
      return { ok: trouble === undefined, detail: trouble ?? `Connected to ${this.#connection.brokers.join(', ')}.` }
    } catch (error) {
      return { ok: false, detail: `No broker answers: ${deepestMessage(error)}` }
    }
  }

  partitionsOf(topic: string): number | undefined {
    return this.#reading?.partitionsOf(topic)
  }

  read(isWanted: IsWanted): void {
    this.#reading?.read(isWanted)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#refresher)
    await this.#batcher.close(closeGraceMs)
    await this.#reading?.close()
    const clients = [this.#producer.disconnect(), this.#admin.disconnect()]
    await within(closeGraceMs, Promise.allSettled(clients)).catch(() => undefined)
  }

  async #refresh(): Promise<void> {
    const { brokers } = await this.#admin.describeCluster()
    this.#brokers = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]))
    if (this.#subscription.requestTopics.length === 0) return
    const { topics } = await this.#admin.fetchTopicMetadata({ topics: [...this.#subscription.requestTopics] })
    for (const { name, partitions } of topics) {
      const leaders = new Map(partitions.map(({ partitionId, leader }) => [partitionId, leader]))
      this.#routes.set(name, { partitions: partitions.length, leaders })
    }
  }

  #leaderOf(topic: string, partition: number): number | undefined {
    const leader = this.#routes.get(topic)?.leaders.get(partition)
    return leader !== undefined && this.#brokers.has(leader) ? leader : undefined
  }

  #leaderless(): string | undefined {
    for (const [topic, { partitions }] of this.#routes) {
      for (let partition = 0; partition < partitions; partition++) {
        if (this.#leaderOf(topic, partition) === undefined) return `Partition ${partition} of ${topic} has no leader.`
      }
    }
    return undefined
  }

  #producePort(): ProducePort {
    return {
      leaderOf: (topic, partition) => this.#leaderOf(topic, partition),
      refresh: () => this.#refresh().catch(() => undefined),
      produce: (leader, batches) =>
        produceEach(batches, {
          producer: this.#producer,
          connection: this.#connection,
          count: this.#count,
          broker: this.#brokers.get(leader) ?? '',
        }),
    }
  }
}
