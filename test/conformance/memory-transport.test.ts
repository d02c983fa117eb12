import { createMemoryBroker, createMemoryTransport } from '../helpers/memory-transport.ts'
import { describeKafkaTransport } from './kafka-transport.ts'

describeKafkaTransport('memory', async () => {
  const broker = createMemoryBroker()
  const away = createMemoryBroker()
  away.available = false
  const empty = Buffer.alloc(0)
  return {
    create: (overrides) => createMemoryTransport({ broker, ...overrides }),
    createUnreachable: () => ({ transport: createMemoryTransport({ broker: away }), named: 'in memory' }),
    createTopic: async (name, partitions) => broker.createTopics({ name, partitions }),
    write: async ({ key = empty, value = empty, ...place }) => void broker.append({ key, value, ...place }),
    log: async (topic) => broker.records(topic),
    close: async () => undefined,
  }
})
