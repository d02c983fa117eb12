import { createKafkajsTransport } from '../../src/runtime-adapters/kafka/kafkajs-transport.ts'
import { createPlatformaticTransport } from '../../src/runtime-adapters/kafka/platformatic-transport.ts'
import type { KafkaConnection, KafkaTransport } from '../../src/runtime-adapters/kafka/transport.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Every transport that speaks to real brokers, by name. */
export const kafkaClients: Readonly<Record<string, (connection: KafkaConnection) => KafkaTransport>> = {
  platformatic: (connection) => createPlatformaticTransport(connection, silent),
  kafkajs: (connection) => createKafkajsTransport(connection, silent),
}

export function testConnection(brokers: readonly string[], overrides: Partial<KafkaConnection> = {}): KafkaConnection {
  return {
    brokers,
    clientId: 'gateway-test',
    acks: 'all',
    compression: 'none',
    sendTimeoutMs: 5_000,
    fetchWaitMs: 200,
    isolation: 'committed',
    maxRecordBytes: 1_000_000,
    ...overrides,
  }
}
