import { notSent } from './record-check.ts'
import type { KafkaRecord, KafkaTransport, ReplySelection, SendResult, TransportSubscription } from './transport.ts'
import { deepestMessage, startWithin, within } from './transport-start.ts'

/** A Kafka client with its connections, from its start to its end. */
export interface RunningClient extends ReplySelection {
  /** Called again where it has failed. */
  start(): Promise<void>
  send(record: KafkaRecord): Promise<SendResult>
  /** Asks the brokers what there is and who leads it. */
  refresh(): Promise<void>
  /** What can't be sent or read, as last seen; `undefined`: nothing. */
  trouble(): string | undefined
  /** May be called twice. */
  close(): Promise<void>
}

export interface ClientTransportOptions {
  readonly name: string
  readonly brokers: readonly string[]
  /** Of a start: whether it would fail the next time too. */
  readonly isFinal: (error: unknown) => boolean
  readonly open: (subscription: TransportSubscription) => RunningClient
}

const NOT_STARTED = 'The transport is not started.'
const healthTimeoutMs = 900
/** Milliseconds between two looks at what there is, while nothing is amiss. */
export const metadataRefreshMs = 30_000

/** A transport over a client that is made at the start. However that ends, nothing of it stays open. */
export function createClientTransport({ name, brokers, isFinal, open }: ClientTransportOptions): KafkaTransport {
  let client: RunningClient | undefined
  let refresher: NodeJS.Timeout | undefined
  let closed = false

  return {
    name,
    async start(subscription) {
      const starting = open(subscription)
      client = starting
      try {
        await startWithin(brokers, () => starting.start(), isFinal)
        if (closed) await starting.close()
        else refresher = setInterval(() => void starting.refresh().catch(() => undefined), metadataRefreshMs)
      } catch (error) {
        await starting.close()
        throw error
      }
    },
    send: (record) => client?.send(record) ?? Promise.resolve(notSent(NOT_STARTED)),
    selection: {
      partitionsOf: (topic) => client?.partitionsOf(topic),
      read: (isWanted) => client?.read(isWanted),
    },
    async health() {
      if (client === undefined) return { ok: false, detail: NOT_STARTED }
      try {
        await within(healthTimeoutMs, client.refresh())
        const trouble = client.trouble()
        return { ok: trouble === undefined, detail: trouble ?? `Connected to ${brokers.join(', ')}.` }
      } catch (error) {
        return { ok: false, detail: `No broker answers: ${deepestMessage(error)}` }
      }
    },
    async close() {
      closed = true
      clearInterval(refresher)
      await client?.close()
    },
  }
}

/**
 * The first partition without a leader, in words.
 * @param counts partitions by topic
 */
export function leaderless(
  counts: ReadonlyMap<string, number>,
  leaderOf: (topic: string, partition: number) => number | undefined,
): string | undefined {
  for (const [topic, count] of counts) {
    for (let partition = 0; partition < count; partition++) {
      if (leaderOf(topic, partition) === undefined) return `Partition ${partition} of ${topic} has no leader.`
    }
  }
  return undefined
}
