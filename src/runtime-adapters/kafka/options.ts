import { readFileSync } from 'node:fs'
import { type Static, Type } from 'typebox'
import type { KafkaConnection, KafkaSasl, KafkaTls } from './transport.ts'

/** Settings of every runtime that is reached through Kafka. `env` names the environment variable of each. */
export const KafkaOptions = Type.Object(
  {
    brokers: Type.Array(Type.String({ pattern: '^[^:\\s]+:\\d+$', form: 'HOST:PORT' }), {
      env: 'KAFKA_BROKERS',
      minItems: 1,
      default: ['127.0.0.1:9092'],
      description: 'Brokers to ask first, as HOST:PORT.',
    }),
    client: Type.Enum(['platformatic', 'kafkajs'], {
      env: 'KAFKA_CLIENT',
      default: 'platformatic',
      description: 'The Kafka client: @platformatic/kafka or kafkajs.',
    }),
    clientId: Type.String({
      env: 'KAFKA_CLIENT_ID',
      default: 'stateflow-gateway',
      minLength: 1,
      description: 'Shown in the brokers’ logs and quotas.',
    }),
    acks: Type.Enum(['all', 'leader'], {
      env: 'KAFKA_ACKS',
      default: 'all',
      description: 'Who must have a request before it counts as sent: all in-sync replicas, or the leader alone.',
    }),
    compression: Type.Enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'], {
      env: 'KAFKA_COMPRESSION',
      default: 'none',
      description:
        'Of requests. kafkajs does none and gzip only, and it can read no replies that are compressed otherwise.',
    }),
    sendTimeoutMs: Type.Integer({
      env: 'KAFKA_SEND_TIMEOUT_MS',
      default: 5_000,
      minimum: 100,
      maximum: 86_400_000,
      description: 'Milliseconds to wait for the brokers’ acknowledgement.',
    }),
    fetchWaitMs: Type.Integer({
      env: 'KAFKA_FETCH_WAIT_MS',
      default: 500,
      minimum: 1,
      maximum: 86_400_000,
      description:
        'Milliseconds a broker may hold an empty fetch open. A reply ends the wait; while many come, more are waited for, 2 ms at most.',
    }),
    isolation: Type.Enum(['committed', 'uncommitted'], {
      env: 'KAFKA_ISOLATION',
      default: 'committed',
      description:
        'Which answers of runtimes that answer in transactions are read: once the transaction is committed, or at once, be it aborted later.',
    }),
    maxRecordBytes: Type.Integer({
      env: 'KAFKA_MAX_RECORD_BYTES',
      default: 1_000_000,
      minimum: 1_000,
      description: 'Bytes that one request may have; not more than the topic’s `max.message.bytes`.',
    }),
    replyPartitions: Type.Enum(['all', 'own'], {
      env: 'KAFKA_REPLY_PARTITIONS',
      default: 'all',
      description:
        'own: of many replicas, each reads its part of the replies alone (`GATEWAY_REPLICA`). Only where the runtime keys its replies by the call’s id.',
    }),
    replyPartitioner: Type.Enum(['murmur2', 'crc32'], {
      env: 'KAFKA_REPLY_PARTITIONER',
      default: 'murmur2',
      description:
        'With own: how the runtime’s producer chooses a partition by the key. murmur2: the Java client. crc32: librdkafka and what is made from it.',
    }),
    createTopicPartitions: Type.Integer({
      env: 'KAFKA_CREATE_TOPIC_PARTITIONS',
      default: 0,
      minimum: 0,
      description: 'Missing topics are made with this many partitions; 0: a missing topic stops the start.',
    }),
    createTopicReplicas: Type.Integer({
      env: 'KAFKA_CREATE_TOPIC_REPLICAS',
      default: 1,
      minimum: 1,
      description: 'Replicas of topics that the gateway makes.',
    }),
    tls: Type.Boolean({ env: 'KAFKA_TLS', default: false, description: 'Speak TLS to the brokers.' }),
    tlsCaFile: Type.Optional(
      Type.String({
        env: 'KAFKA_TLS_CA_FILE',
        description: 'PEM file of the authority that signed the brokers’ certificates; the system’s otherwise.',
      }),
    ),
    tlsCertFile: Type.Optional(
      Type.String({
        env: 'KAFKA_TLS_CERT_FILE',
        description: 'PEM file of the gateway’s own certificate, where brokers ask for one.',
      }),
    ),
    tlsKeyFile: Type.Optional(
      Type.String({ env: 'KAFKA_TLS_KEY_FILE', description: 'PEM file of that certificate’s private key.' }),
    ),
    tlsVerify: Type.Boolean({
      env: 'KAFKA_TLS_VERIFY',
      default: true,
      description: 'false: take any certificate. Never in production.',
    }),
    saslMechanism: Type.Optional(
      Type.Enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'], {
        env: 'KAFKA_SASL_MECHANISM',
        description: 'How the gateway says who it is.',
      }),
    ),
    saslUsername: Type.Optional(Type.String({ env: 'KAFKA_SASL_USERNAME', description: 'For plain and scram.' })),
    saslPassword: Type.Optional(
      Type.String({ env: 'KAFKA_SASL_PASSWORD', secret: true, description: 'For plain and scram.' }),
    ),
    saslTokenFile: Type.Optional(
      Type.String({
        env: 'KAFKA_SASL_TOKEN_FILE',
        description: 'For oauthbearer: the file that holds the token; read at every connection, so it may be renewed.',
      }),
    ),
  },
  { additionalProperties: false },
)

export type KafkaOptions = Static<typeof KafkaOptions>

/** @throws Error in the operator's words when the options contradict each other or a file can't be read */
export function toConnection(options: KafkaOptions): KafkaConnection {
  const { createTopicPartitions: partitions, createTopicReplicas: replicas } = options
  refuseUnused(options)
  const sasl = toSasl(options)
  return {
    brokers: options.brokers,
    clientId: options.clientId,
    acks: options.acks,
    compression: options.compression,
    sendTimeoutMs: options.sendTimeoutMs,
    fetchWaitMs: options.fetchWaitMs,
    isolation: options.isolation,
    maxRecordBytes: options.maxRecordBytes,
    ...(partitions > 0 ? { createTopics: { partitions, replicas } } : {}),
    ...(options.tls ? { tls: toTls(options) } : {}),
    ...(sasl === undefined ? {} : { sasl }),
  }
}

/** Whoever sets these does not mean to be spoken to in plaintext, or as nobody. */
function refuseUnused(options: KafkaOptions): void {
  const { tls, tlsCaFile, tlsCertFile, tlsKeyFile, saslMechanism, saslUsername, saslPassword, saslTokenFile } = options
  const ofTls = { KAFKA_TLS_CA_FILE: tlsCaFile, KAFKA_TLS_CERT_FILE: tlsCertFile, KAFKA_TLS_KEY_FILE: tlsKeyFile }
  const ofSasl = {
    KAFKA_SASL_USERNAME: saslUsername,
    KAFKA_SASL_PASSWORD: saslPassword,
    KAFKA_SASL_TOKEN_FILE: saslTokenFile,
  }
  if (!tls) refuseSet(ofTls, 'KAFKA_TLS=true')
  if (saslMechanism === undefined) refuseSet(ofSasl, 'KAFKA_SASL_MECHANISM')
}

function refuseSet(settings: Readonly<Record<string, string | undefined>>, needed: string): void {
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined) throw new Error(`${name} needs ${needed}: without that, it would be ignored.`)
  }
}

function toTls({ tlsCaFile, tlsCertFile, tlsKeyFile, tlsVerify }: KafkaOptions): KafkaTls {
  const read = (name: string, file: string | undefined) =>
    file === undefined ? {} : { [name]: readFileSync(file, 'utf8') }
  return {
    ...read('ca', tlsCaFile),
    ...read('cert', tlsCertFile),
    ...read('key', tlsKeyFile),
    rejectUnauthorized: tlsVerify,
  }
}

function toSasl({ saslMechanism, saslUsername, saslPassword, saslTokenFile }: KafkaOptions): KafkaSasl | undefined {
  if (saslMechanism === undefined) return undefined
  if (saslMechanism === 'oauthbearer') {
    if (saslTokenFile === undefined) throw new Error('KAFKA_SASL_MECHANISM=oauthbearer needs KAFKA_SASL_TOKEN_FILE.')
    return { mechanism: saslMechanism, token: async () => readFileSync(saslTokenFile, 'utf8').trim() }
  }
  if (saslUsername === undefined || saslPassword === undefined) {
    throw new Error(`KAFKA_SASL_MECHANISM=${saslMechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.`)
  }
  return { mechanism: saslMechanism, username: saslUsername, password: saslPassword }
}
