import type { Log } from '../contract.ts'
import { type KafkaOptions, toConnection } from './options.ts'
import type { KafkaTransport } from './transport.ts'

/** The configured Kafka client; the other one is not even loaded. */
export async function createTransport(options: KafkaOptions, log: Log): Promise<KafkaTransport> {
  const connection = toConnection(options)
  switch (options.client) {
    case 'platformatic': {
      const { createPlatformaticTransport } = await import('./platformatic-transport.ts')
      return createPlatformaticTransport(connection, log)
    }
    case 'kafkajs': {
      const { createKafkajsTransport } = await import('./kafkajs-transport.ts')
      return createKafkajsTransport(connection, log)
    }
  }
}
