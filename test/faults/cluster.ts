import { once } from 'node:events'
import { createServer } from 'node:net'
import { type Kafka, startKafka } from '../helpers/kafka-broker.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { DEADLINE_MS } from './caller.ts'
import { createReplica, GRACE_MS, type Replica } from './replica.ts'
import { type FaultRedis, startFaultRedis } from './fault-redis.ts'
import { metadata } from './work.ts'
import { startWorker, type WorkerProcess } from './worker-process.ts'

/** Everything that the matrix breaks: three brokers, a store, a runtime, and three gateways before them. */
export interface Cluster {
  readonly kafka: Kafka
  readonly redis: FaultRedis | undefined
  readonly worker: WorkerProcess
  readonly replicas: readonly Replica[]
  readonly urls: readonly string[]
  close(): Promise<void>
}

export const BROKERS = 3
export const REPLICAS = 3
const PARTITIONS = 6
const topics = { requests: 'faults-requests', replies: 'faults-replies' }

export async function startCluster(say: (text: string) => void): Promise<Cluster> {
  const cleanups: (() => Promise<void> | void)[] = []
  const close = async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
  }
  try {
    say('starting three brokers')
    const kafka = await startKafka({ brokers: BROKERS })
    cleanups.push(kafka.close)
    await kafka.createTopics(
      ...[topics.requests, topics.replies].map((name) => ({ name, partitions: PARTITIONS, replicas: BROKERS })),
    )
    const redis = await startFaultRedis()
    if (redis !== undefined) cleanups.push(redis.close)
    say(redis === undefined ? 'no Redis here: each replica keeps its own invocations' : 'Redis is there')
    const worker = await startWorker(kafka.brokers, topics)
    cleanups.push(worker.close)
    const folder = createTemporaryFolder()
    cleanups.push(folder.close)
    const env = environment(kafka, redis, folder.write('faults.metadata.json', metadata))
    const replicas = (await freePorts(REPLICAS)).map((port) => createReplica(port, env))
    cleanups.push(async () => void (await Promise.all(replicas.map((replica) => replica.kill()))))
    say('starting three gateways')
    await Promise.all(replicas.map((replica) => replica.start()))
    return { kafka, redis, worker, replicas, urls: replicas.map(({ url }) => url), close }
  } catch (error) {
    await close()
    throw error
  }
}

function environment({ brokers }: Kafka, redis: FaultRedis | undefined, metadataFile: string): Record<string, string> {
  return {
    GATEWAY_METADATA: metadataFile,
    GATEWAY_RUNTIME: 'stateflow',
    GATEWAY_DEADLINE_MS: String(DEADLINE_MS),
    GATEWAY_SHUTDOWN_GRACE_MS: String(GRACE_MS),
    KAFKA_BROKERS: brokers.join(','),
    STATEFLOW_SERIALIZER: 'json',
    STATEFLOW_REQUEST_TOPIC: topics.requests,
    STATEFLOW_REPLY_TOPIC: topics.replies,
    LOG_LEVEL: 'warn',
    LOG_FORMAT: 'json',
    ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
  }
}

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address()
      server.close()
      await once(server, 'close')
      if (address === null || typeof address === 'string') throw new Error('no port')
      return address.port
    }),
  )
}
