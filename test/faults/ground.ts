import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'

/** What all subjects of the matrix stand on. */
export interface Ground {
  readonly kafka: Kafka
  /** Shared by the gateways. It keeps its data over a kill. */
  readonly redis: RedisServer
  close(): Promise<void>
}

export const BROKERS = 3
const PARTITIONS = 6

export async function startGround(): Promise<Ground> {
  const kafka = await startKafka({ brokers: BROKERS })
  try {
    const redis = await startRedis({ appendOnly: true })
    return {
      ...{ kafka, redis },
      async close() {
        await redis.close()
        await kafka.close()
      },
    }
  } catch (error) {
    await kafka.close()
    throw error
  }
}

/** A topic on every broker, so that it outlives any one of them. */
export async function createTopics({ kafka }: Ground, names: readonly string[]): Promise<void> {
  await kafka.createTopics(...names.map((name) => ({ name, partitions: PARTITIONS, replicas: BROKERS })))
}
