import {
  Admin,
  AuthenticationError,
  type BaseOptions,
  findErrorBy,
  type SASLOptions,
  UserError,
} from '@platformatic/kafka'
import { checkRights } from './platformatic-rights.ts'
import type { KafkaConnection, KafkaSasl, TransportSubscription } from './transport.ts'
import { missingAmong, missingTopics, within } from './transport-start.ts'

/** Metadata is asked for by us, never in the way of a send: the client's own cache must not run out. */
const neverMs = 2 ** 31
const connectTimeoutMs = 3_000
const closeGraceMs = 1_000

export function baseOptions({ brokers, clientId, tls, sasl }: KafkaConnection) {
  return {
    clientId,
    bootstrapBrokers: [...brokers],
    connectTimeout: connectTimeoutMs,
    metadataMaxAge: neverMs,
    retries: 0,
    autocreateTopics: false,
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl: saslOptions(sasl) }),
  } satisfies BaseOptions
}

function saslOptions(sasl: KafkaSasl): SASLOptions {
  switch (sasl.mechanism) {
    case 'plain':
      return { mechanism: 'PLAIN', username: sasl.username, password: sasl.password }
    case 'scram-sha-256':
      return { mechanism: 'SCRAM-SHA-256', username: sasl.username, password: sasl.password }
    case 'scram-sha-512':
      return { mechanism: 'SCRAM-SHA-512', username: sasl.username, password: sasl.password }
    case 'oauthbearer':
      return { mechanism: 'OAUTHBEARER', token: sasl.token }
  }
}

export function isFinal(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return (
    findErrorBy(error, 'code', AuthenticationError.code) !== null ||
    findErrorBy(error, 'apiId', 'TOPIC_AUTHORIZATION_FAILED') !== null ||
    (error instanceof UserError && !error.message.startsWith('Unknown topic')) ||
    // A connection's own failure hides what the broker said in its cause.
    isFinal(error.cause) ||
    (error instanceof AggregateError && error.errors.some(isFinal))
  )
}

export async function ensureTopics(connection: KafkaConnection, subscription: TransportSubscription): Promise<void> {
  const { requestTopics, replyTopics } = subscription
  const admin = new Admin(baseOptions(connection))
  try {
    const missing = await missingAmong([...requestTopics, ...replyTopics], () => admin.listTopics())
    if (missing.length === 0) return await checkRights(admin, connection, subscription)
    if (connection.createTopics === undefined) throw missingTopics(missing)
    const { partitions, replicas } = connection.createTopics
    await admin.createTopics({ topics: [...missing], partitions, replicas }).catch((error: unknown) => {
      // Another replica of the gateway was quicker.
      if (!(error instanceof Error && findErrorBy(error, 'apiId', 'TOPIC_ALREADY_EXISTS'))) throw error
    })
  } finally {
    await within(closeGraceMs, admin.close()).catch(() => undefined)
  }
}
