import { notSent } from './not-sent.ts'
import {
  type KafkaRecord,
  type KafkaTransport,
  type ReplySelection,
  type SendResult,
  TransportStartError,
  type TransportSubscription,
} from './transport.ts'
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
  /** Called once; while it starts only where that takes too long. */
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
const CLOSED = 'The transport is closed.'
const healthTimeoutMs = 900
/** Of a start that has failed: how long its rejection waits for the end of what it has opened. */
const failureGraceMs = 500
/** How long a close waits for the attempt under way. One that takes longer, with a broker that is silent, is closed in the midst of it. */
const attemptLimitMs = 5_000
/** Milliseconds between two looks at what there is, while nothing is amiss. */
export const metadataRefreshMs = 30_000

/** A transport over a client that is made at the start. However that ends, nothing of it stays open. */
export function createClientTransport({ name, brokers, isFinal, open }: ClientTransportOptions): KafkaTransport {
  let client: RunningClient | undefined
  let refresher: NodeJS.Timeout | undefined
  let attempt: Promise<void> | undefined
  let closing: Promise<void> | undefined

  function refuseClosed(): void {
    if (closing !== undefined) throw new TransportStartError(CLOSED)
  }

  async function attemptStart(starting: RunningClient): Promise<void> {
    refuseClosed()
    attempt = starting.start()
    await attempt
  }

  /** A client that is closed while it starts would open what nobody closes any more. */
  async function end(): Promise<void> {
    clearInterval(refresher)
    if (attempt !== undefined) await within(attemptLimitMs, attempt).catch(() => undefined)
    await client?.close()
  }

  function close(): Promise<void> {
    closing ??= end()
    return closing
  }

  return {
    name,
    async start(subscription) {
      refuseClosed()
      const starting = open(subscription)
      client = starting
      try {
        await startWithin(brokers, () => attemptStart(starting), isFinal)
        refuseClosed()
        refresher = setInterval(() => void starting.refresh().catch(() => undefined), metadataRefreshMs)
      } catch (error) {
        await within(failureGraceMs, close()).catch(() => undefined)
        throw error
      }
    },
    send: (record) => client?.send(record) ?? Promise.resolve(notSent('broker-unavailable', NOT_STARTED)),
    selection: {
      partitionsOf: (topic) => client?.partitionsOf(topic),
      read: (isWanted) => client?.read(isWanted),
    },
    async health() {
      if (client === undefined) return { ok: false, detail: NOT_STARTED }
      // A client that is asked once more would connect again.
      if (closing !== undefined) return { ok: false, detail: CLOSED }
      try {
        await within(healthTimeoutMs, client.refresh())
        const trouble = client.trouble()
        return { ok: trouble === undefined, detail: trouble ?? `Connected to ${brokers.join(', ')}.` }
      } catch (error) {
        return { ok: false, detail: `No broker answers: ${deepestMessage(error)}` }
      }
    },
    close,
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
