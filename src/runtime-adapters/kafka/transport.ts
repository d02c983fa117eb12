import type { NotSent } from '../contract.ts'

/** One record to send. Key and value are never empty: a record without them can kill a runtime. */
export interface KafkaRecord {
  readonly topic: string
  readonly key: Buffer
  readonly value: Buffer
  /** `undefined`: the client's murmur2 partitioner, the same as the Java client's. */
  readonly partition?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** One record as it was read. */
export interface ReceivedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Empty when the record has no key. */
  readonly key: Buffer
  /** Empty when the record has no value (a tombstone). */
  readonly value: Buffer
}

/**
 * What became of a send. `acknowledged`: in the log. `not-sent`: surely not in the log. `unknown`: bytes may have reached
 * a broker before the client failed.
 */
export type SendResult =
  | { readonly kind: 'acknowledged' }
  | NotSent
  | { readonly kind: 'unknown'; readonly detail: string }

export interface TransportSubscription {
  readonly requestTopics: readonly string[]
  readonly replyTopics: readonly string[]
  /** Called for every record of every partition of the reply topics that was written after `start` resolved. Never throws. */
  readonly onRecord: (record: ReceivedRecord) => void
}

/**
 * A Kafka client, reduced to what request-reply needs. Laws, held by `test/conformance/kafka-transport.ts`:
 *
 * - `start` resolves once the read position of every reply partition is fixed, and rejects with a `TransportStartError`
 *   that names the brokers or topics at fault. Missing topics are made only where that is allowed.
 * - Every reader reads all partitions, or those that it was told, and shares no group: no reply can be lost to a rebalance. After a
 *   broker's restart or a change of leader it goes on where it stopped.
 * - `send` never rejects; what it says of a record is true. Sends of one tick travel together. Records of one key keep
 *   their order. A send waits for its acknowledgement no longer than `sendTimeoutMs`.
 * - `health` tells within a second whether sends and reads can work now.
 * - `close` may be called twice; sends under way settle, nothing stays open.
 */
export interface KafkaTransport {
  readonly name: string
  start(subscription: TransportSubscription): Promise<void>
  send(record: KafkaRecord): Promise<SendResult>
  /** `undefined`: it reads all partitions always. */
  readonly selection?: ReplySelection
  health(): Promise<{ readonly ok: boolean; readonly detail: string }>
  close(): Promise<void>
}

/** For partitions of the reply topics that need not be read always. */
export interface ReplySelection {
  /** As last seen; `undefined`: it is not known. */
  partitionsOf(topic: string): number | undefined
  /**
   * From now on. A partition that was left out and is wanted again is read from where it ended a minute before, or where its reading
   * stopped: what others may have missed meanwhile comes, and some of it for the second time.
   */
  read(isWanted: IsWanted): void
}

export type IsWanted = (topic: string, partition: number) => boolean

/** The brokers can't be reached or refuse us, or a topic is missing. Its message is written for an operator. */
export class TransportStartError extends Error {
  override readonly name = 'TransportStartError'
}

/** How to reach the brokers: everything that is the same for each Kafka client. */
export interface KafkaConnection {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly tls?: KafkaTls
  readonly sasl?: KafkaSasl
  readonly acks: 'all' | 'leader'
  readonly compression: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** Milliseconds to wait for an acknowledgement. */
  readonly sendTimeoutMs: number
  /** Milliseconds a broker may hold a fetch open when there is nothing to read. */
  readonly fetchWaitMs: number
  /** Whether records of open and aborted transactions are passed over, or read like any other. */
  readonly isolation: 'committed' | 'uncommitted'
  /** Bytes of one record's value that the broker takes. */
  readonly maxRecordBytes: number
  /** `undefined`: a missing topic is an error at start. */
  readonly createTopics?: { readonly partitions: number; readonly replicas: number }
}

export interface KafkaTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized: boolean
}

export type KafkaSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      readonly password: string
    }
  | { readonly mechanism: 'oauthbearer'; readonly token: () => Promise<string> }
