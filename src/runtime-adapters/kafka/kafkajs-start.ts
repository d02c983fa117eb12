import { connect as connectTcp, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'
import kafkajs, { type Admin, type ISocketFactory, type Kafka, type KafkaConfig, type SASLOptions } from 'kafkajs'
import type { Log } from '../contract.ts'
import type { KafkaConnection, KafkaSasl, TransportSubscription } from './transport.ts'
import { missingAmong, missingTopics } from './transport-start.ts'

// A CommonJS module whose names Node can't see all.
const { KafkaJSGroupCoordinatorNotFound, KafkaJSProtocolError, KafkaJSSASLAuthenticationError, logLevel } = kafkajs

const connectTimeoutMs = 3_000
const keepAliveMs = 60_000
/** ApiKey of a produce request, behind the four bytes of its size (Kafka protocol guide). */
const produceApiKey = 0

/** Counts the produce requests that were written, to all brokers together. */
export interface ProduceCount {
  readonly written: number
  readonly socketFactory: ISocketFactory
}

/**
 * kafkajs hides whether a failed send wrote anything: it reconnects before it rejects, and then rejects with the error of the
 * reconnect. The sockets know.
 */
export function createProduceCount(): ProduceCount {
  let written = 0
  return {
    get written() {
      return written
    },
    socketFactory: ({ host, port, ssl, onConnect }) => {
      const servername = isIP(host) ? {} : { servername: host }
      const socket = ssl
        ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
        : connectTcp({ host, port }, onConnect)
      socket.setKeepAlive(true, keepAliveMs)
      // kafkajs never does, and Nagle's wait then adds to every small request.
      socket.setNoDelay(true)
      const write = socket.write.bind(socket)
      // kafkajs writes each request as one buffer with an encoding: one of `write`'s overloads.
      socket.write = ((data: Buffer, encoding: BufferEncoding) => {
        if (data.length >= 6 && data.readInt16BE(4) === produceApiKey) written++
        return write(data, encoding)
      }) as typeof socket.write
      return socket
    },
  }
}

export function createKafka(connection: KafkaConnection, log: Log, socketFactory: ISocketFactory): Kafka {
  const { brokers, clientId, tls, sasl, sendTimeoutMs } = connection
  const config: KafkaConfig = {
    clientId,
    brokers: [...brokers],
    connectionTimeout: connectTimeoutMs,
    requestTimeout: sendTimeoutMs,
    socketFactory,
    // A repeated produce may write twice; what surely was not appended is sent again by the batcher.
    retry: { retries: 0 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message } }) =>
        log.debug({ namespace }, message),
    ...(tls === undefined ? {} : { ssl: tls }),
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
  }
  return new kafkajs.Kafka(config)
}

function saslOptions(sasl: KafkaSasl): SASLOptions {
  switch (sasl.mechanism) {
    case 'plain':
    case 'scram-sha-256':
    case 'scram-sha-512':
      return { mechanism: sasl.mechanism as 'plain', username: sasl.username, password: sasl.password }
    case 'oauthbearer':
      return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await sasl.token() }) }
  }
}

export async function ensureTopics(
  admin: Admin,
  { createTopics }: KafkaConnection,
  { requestTopics, replyTopics }: TransportSubscription,
): Promise<void> {
  const missing = await missingAmong([...requestTopics, ...replyTopics], () => admin.listTopics())
  if (missing.length === 0) return
  if (createTopics === undefined) throw missingTopics(missing)
  const { partitions: numPartitions, replicas: replicationFactor } = createTopics
  // Answers `false` where another replica of the gateway was quicker.
  await admin.createTopics({ topics: missing.map((topic) => ({ topic, numPartitions, replicationFactor })) })
}

/** The client hides what the brokers said of its consumer group. */
export function explained(error: unknown, clientId: string): unknown {
  if (!(error instanceof KafkaJSGroupCoordinatorNotFound)) return error
  return new Error(
    `${error.message}: the brokers are just starting, or no ACL allows the gateway's user READ on groups that begin with ${clientId}-`,
  )
}

export function isFinal(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof KafkaJSSASLAuthenticationError) return true
  if (error instanceof KafkaJSProtocolError && error.type.endsWith('_AUTHORIZATION_FAILED')) return true
  return isFinal(error.cause)
}
