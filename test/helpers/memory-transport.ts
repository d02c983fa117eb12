import { notSent } from '../../src/runtime-adapters/kafka/not-sent.ts'
import { partitionOfKey } from '../../src/runtime-adapters/kafka/partitioners.ts'
import { placeOf } from '../../src/runtime-adapters/kafka/record-place.ts'
import {
  type IsWanted,
  type KafkaRecord,
  type KafkaTransport,
  type ReceivedRecord,
  TransportStartError,
} from '../../src/runtime-adapters/kafka/transport.ts'
import { missingTopics } from '../../src/runtime-adapters/kafka/transport-start.ts'

/** Kafka's log in this process: what a memory transport talks to, and where a test plays the runtime. */
export interface MemoryBroker {
  createTopics(...topics: readonly { readonly name: string; readonly partitions?: number }[]): void
  partitionsOf(topic: string): number | undefined
  /** Appends and hands the record to every listener of its topic, before it returns. */
  append(record: KafkaRecord): ReceivedRecord
  /** What is kept of a topic, oldest first within each partition. */
  records(topic: string): readonly ReceivedRecord[]
  /** The returned function ends it. */
  listen(topics: readonly string[], onRecord: (record: ReceivedRecord) => void): () => void
  /** `false`: like brokers that nobody can reach. */
  available: boolean
}

interface Listener {
  readonly topics: ReadonlySet<string>
  readonly onRecord: (record: ReceivedRecord) => void
}

interface Partition {
  next: bigint
  readonly kept: ReceivedRecord[]
}

/** Retention: the records that a partition keeps at least. */
const keptRecords = 10_000

export function createMemoryBroker(): MemoryBroker {
  const topics = new Map<string, readonly Partition[]>()
  const listeners = new Set<Listener>()

  return {
    available: true,
    createTopics(...wanted) {
      for (const { name, partitions = 1 } of wanted) {
        topics.set(
          name,
          Array.from({ length: partitions }, (): Partition => ({ next: 0n, kept: [] })),
        )
      }
    },
    partitionsOf: (topic) => topics.get(topic)?.length,
    append({ topic, key, value, partition: wanted }) {
      const partitions = topics.get(topic) ?? []
      const index = wanted ?? partitionOfKey(key, partitions.length)
      const partition = partitions[index]
      if (partition === undefined) throw new Error(`the memory broker has no partition ${index} of ${topic}`)
      const received: ReceivedRecord = { topic, partition: index, offset: partition.next++, key, value }
      partition.kept.push(received)
      if (partition.kept.length >= 2 * keptRecords) partition.kept.splice(0, keptRecords)
      for (const listener of listeners) if (listener.topics.has(topic)) listener.onRecord(received)
      return received
    },
    records: (topic) => (topics.get(topic) ?? []).flatMap(({ kept }) => kept),
    listen(names, onRecord) {
      const listener: Listener = { topics: new Set(names), onRecord }
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export interface MemoryTransportOptions {
  readonly broker: MemoryBroker
  readonly maxRecordBytes?: number
  /** `undefined`: a missing topic is an error at start. */
  readonly createTopics?: { readonly partitions: number }
}

/** The transport of tests without Kafka. Replies may come before the send is acknowledged, as they may with Kafka. */
export function createMemoryTransport({
  broker,
  maxRecordBytes = 1_000_000,
  createTopics,
}: MemoryTransportOptions): KafkaTransport {
  let state: 'new' | 'open' | 'closed' = 'new'
  let unlisten = () => {}
  let isWanted: IsWanted = () => true
  let resume = () => {}

  return {
    name: 'memory',
    async start({ requestTopics, replyTopics, onRecord }) {
      if (!broker.available) throw new TransportStartError("Kafka can't be reached in memory.")
      const missing = [...new Set([...requestTopics, ...replyTopics])].filter(
        (topic) => broker.partitionsOf(topic) === undefined,
      )
      if (missing.length > 0 && createTopics === undefined) throw missingTopics(missing)
      broker.createTopics(...missing.map((name) => ({ name, ...createTopics })))
      /** What was left out, oldest first; a partition's part is delivered when it is wanted again. */
      let leftOut: ReceivedRecord[] = []
      unlisten = broker.listen(replyTopics, (record) => {
        if (isWanted(record.topic, record.partition)) onRecord(record)
        else leftOut = [...leftOut.slice(-keptRecords), record]
      })
      resume = () => {
        const { wanted = [], rest = [] } = Object.groupBy(leftOut, ({ topic, partition }) =>
          isWanted(topic, partition) ? 'wanted' : 'rest',
        )
        leftOut = rest
        for (const record of wanted) onRecord(record)
      }
      state = 'open'
    },
    async send(record) {
      if (state !== 'open') return notSent('broker-unavailable', 'The transport is not open.')
      if (!broker.available) return notSent('broker-unavailable', 'The memory broker is away.')
      const place = placeOf(record, { maxRecordBytes, partitionsOf: broker.partitionsOf })
      if (typeof place !== 'number') return place
      broker.append({ ...record, partition: place })
      return { kind: 'acknowledged' }
    },
    selection: {
      partitionsOf: (topic) => broker.partitionsOf(topic),
      read(wanted) {
        isWanted = wanted
        resume()
      },
    },
    async health() {
      const ok = state === 'open' && broker.available
      return { ok, detail: ok ? 'The memory broker is there.' : 'The memory broker is away.' }
    },
    async close() {
      state = 'closed'
      unlisten()
    },
  }
}
