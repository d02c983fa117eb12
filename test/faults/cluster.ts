import { join } from 'node:path'
import process from 'node:process'
import { compiledOnce } from '../helpers/cached-build.ts'
import { freePorts } from '../helpers/free-ports.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'
import { DEADLINE_MS } from './caller.ts'
import { createTopics, type Ground } from './ground.ts'
import { createReplica, GRACE_MS, type Program, type Replica } from './replica.ts'
import type { Runtime } from './runtime.ts'
import { accountWork, metadata, type Work } from './work.ts'
import { startWorker } from './worker-process.ts'

/** Everything that a row may break: the ground, a runtime, and three replicas of what is under test. */
export interface Cluster extends Ground {
  readonly name: string
  readonly runtime: Runtime
  readonly work: Work
  readonly replicas: readonly Replica[]
  readonly urls: readonly string[]
  /** Somebody else's: it promises less, so less is asked of it. */
  readonly isPeer: boolean
}

export const REPLICAS = 3
const bin = join(import.meta.dirname, '../../src/gateway/bin.mjs')

/** The gateways, with a runtime of the matrix's own that can be told to misbehave. */
export async function startOwnCluster(ground: Ground): Promise<Cluster> {
  const topics = { requests: 'faults-requests', replies: 'faults-replies' }
  await createTopics(ground, [topics.requests, topics.replies])
  const runtime = await startWorker(ground.kafka.brokers, topics)
  const folder = createTemporaryFolder()
  const program = gatewayProgram(ground, {
    GATEWAY_METADATA: folder.write('faults.metadata.json', metadata),
    STATEFLOW_REQUEST_TOPIC: topics.requests,
    STATEFLOW_REPLY_TOPIC: topics.replies,
  })
  return startReplicas(ground, {
    ...{ name: 'stateflow-gateway', runtime, work: accountWork, program, isPeer: false },
    close: async () => folder.close(),
  })
}

export function gatewayProgram({ kafka, redis }: Ground, env: Readonly<Record<string, string>>): Program {
  return {
    command: [process.execPath, bin, 'serve'],
    readyPath: '/-/readyz',
    env: {
      ...compiledOnce,
      GATEWAY_RUNTIME: 'stateflow',
      GATEWAY_DEADLINE_MS: String(DEADLINE_MS),
      GATEWAY_SHUTDOWN_GRACE_MS: String(GRACE_MS),
      KAFKA_BROKERS: kafka.brokers.join(','),
      STATEFLOW_SERIALIZER: 'json',
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      REDIS_URL: redis.url,
      ...env,
    },
  }
}

export interface ClusterParts extends Pick<Cluster, 'name' | 'runtime' | 'work' | 'isPeer'> {
  readonly program: Program
  /** Of what is not named here. */
  close(): Promise<void>
}

/** The ground stays open when the cluster is closed. */
export async function startReplicas(ground: Ground, { program, close, ...parts }: ClusterParts): Promise<Cluster> {
  const replicas = (await freePorts(REPLICAS)).map((port) => createReplica(port, program))
  const closeAll = async () => {
    await Promise.all(replicas.map((replica) => replica.kill()))
    await parts.runtime.close()
    await close()
  }
  try {
    await Promise.all(replicas.map((replica) => replica.start()))
    return { ...ground, ...parts, replicas, urls: replicas.map(({ url }) => url), close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}
