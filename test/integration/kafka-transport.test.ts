import type { KafkaConnection } from '../../src/runtime-adapters/kafka/transport.ts'
import { describeKafkaTransport } from '../conformance/kafka-transport.ts'
import { kafkaClients, testConnection } from '../helpers/kafka-clients.ts'
import { kafkaUnavailable } from '../helpers/kafka-jars.ts'
import { readLog, writeRecord } from '../helpers/kafka-log.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'

for (const [name, createTransport] of Object.entries(kafkaClients)) {
  describeKafkaTransport(
    name,
    async () => {
      const kafka = await sharedKafka()
      const create = (overrides?: Partial<KafkaConnection>) => createTransport(testConnection(kafka.brokers, overrides))
      return {
        create,
        createUnreachable: () => {
          const named = '127.0.0.1:1'
          return { transport: create({ brokers: [named] }), named }
        },
        createTopic: (topic, partitions) => kafka.createTopics({ name: topic, partitions }),
        write: (record) => writeRecord(kafka.brokers, record),
        log: (topic) => readLog(kafka.brokers, topic),
        close: () => kafka.close(),
      }
    },
    kafkaUnavailable(),
  )
}
