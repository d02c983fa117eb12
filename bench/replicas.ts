import { randomUUID } from 'node:crypto'
import process from 'node:process'
import type { Kafka } from '../test/helpers/kafka-broker.ts'
import { type AskableChild, startChild } from './askable-child.ts'
import { type Contender, metadata } from './contender.ts'
import { type Load, openHttpLoad } from './load.ts'
import { measure, type Sample, type Surroundings } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { topicSettings } from './topic-settings.ts'
import { httpRequests } from './work.ts'

/** One window of one gateway of several replicas. */
export interface ReplicaSample extends Sample {
  readonly replicas: number
  readonly reading: Reading
  /** Replies that all replicas together have read for one call. */
  readonly readPerCall: number
}

export type Reading = 'all' | 'own'

const COUNTS = [1, 2, 4]
const READINGS: readonly Reading[] = ['all', 'own']
/** Calls under way at once, over all replicas together. */
export const REPLICAS_LEVEL = 128
/** `own` needs some replies, and a second, until it begins. */
const MIN_WARM_UP_MS = 3_000

export interface ReplicasContext {
  readonly kafka: Kafka
  readonly surroundings: Surroundings
}

/** The same calls to gateways of 1, 2 and 4 replicas that read all replies or their own alone, in turns. */
export async function measureReplicas(
  { rounds, warmUpMs, windowMs, partitions }: BenchOptions,
  { kafka, surroundings }: ReplicasContext,
): Promise<readonly ReplicaSample[]> {
  const samples: ReplicaSample[] = []
  const windows = { level: REPLICAS_LEVEL, warmUpMs: Math.max(warmUpMs, MIN_WARM_UP_MS), windowMs, surroundings }
  for (let round = 1; round <= rounds; round++) {
    for (const replicas of COUNTS) {
      for (const reading of READINGS) {
        const set = await startReplicas({ replicas, reading, partitions, kafka })
        try {
          const sample = await measure({ contender: set.contender, ...windows })
          samples.push({ ...sample, replicas, reading, readPerCall: set.repliesRead() / sample.calls })
          process.stderr.write(
            `round ${round}: ${set.contender.name}: ${sample.calls} calls, ${sample.errors} errors\n`,
          )
        } finally {
          await set.contender.close()
        }
      }
    }
  }
  return samples
}

interface SetOptions {
  readonly replicas: number
  readonly reading: Reading
  readonly partitions: number
  readonly kafka: Kafka
}

interface ReplicaSet {
  readonly contender: Contender
  /** In the window measured last. */
  repliesRead(): number
}

async function startReplicas({ replicas, reading, partitions, kafka }: SetOptions): Promise<ReplicaSet> {
  const prefix = `bench-${randomUUID().slice(0, 8)}-`
  // A purchase begins at the item, so that is where StateFun routing sends it.
  const topics = { requestTopic: `${prefix}global_Item`, replyTopic: `${prefix}reply`, keyed: true }
  const others = ['global_Item_create', 'global_User', 'global_User_create', 'ping'].map((name) => prefix + name)
  await kafka.createTopics(
    ...[topics.requestTopic, topics.replyTopic].map((name) => ({ name, partitions, settings: topicSettings })),
    ...others.map((name) => ({ name })),
  )
  const env = {
    GATEWAY_RUNTIME: 'stateflow',
    GATEWAY_METADATA: metadata,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_REPLY_PARTITIONS: reading,
    STATEFLOW_SERIALIZER: 'json',
    STATEFLOW_ROUTING: 'statefun',
    STATEFLOW_TOPIC_PREFIX: prefix,
    STATEFLOW_PING_TOPIC: `${prefix}ping`,
    STATEFLOW_REPLY_TOPIC: topics.replyTopic,
  }
  const module = new URL('./contenders/gateway.ts', import.meta.url)
  const children: AskableChild[] = []
  // One after the other: all at once, each of them would take longer than a child may.
  for (let index = 0; index < replicas; index++) {
    children.push(await startChild({ module, env: { ...env, GATEWAY_REPLICA: `${index}/${replicas}` } }))
  }
  const read = { before: 0, after: 0 }
  const contender: Contender = {
    name: `${replicas} × ${reading}`,
    topics,
    usage: async () => {
      const usages = await Promise.all(children.map((child) => child.usage()))
      const sum = (pick: (one: (typeof usages)[number]) => number) => usages.reduce((all, one) => all + pick(one), 0)
      return { cpuMicros: sum((one) => one.cpuMicros), rssBytes: sum((one) => one.rssBytes) }
    },
    open: async (level) => noting(read, children, await openSharedLoad(children, level)),
    close: async () => void (await Promise.all(children.map((child) => child.close()))),
  }
  return { contender, repliesRead: () => read.after - read.before }
}

async function openSharedLoad(children: readonly AskableChild[], connections: number): Promise<Load> {
  const [first, ...more] = await Promise.all(children.map(async (child) => Number(await child.ask('port'))))
  if (first === undefined) throw new Error('there are no replicas')
  return openHttpLoad({ ports: [first, ...more], connections, requests: httpRequests('127.0.0.1') })
}

/** The same load, which notes how many replies were read when a window begins and ends. */
function noting(read: { before: number; after: number }, children: readonly AskableChild[], load: Load): Load {
  const readSoFar = async () => {
    const counts = await Promise.all(children.map(async (child) => Number(await child.ask('repliesRead'))))
    return counts.reduce((sum, count) => sum + count, 0)
  }
  return {
    async reset() {
      read.before = await readSoFar()
      await load.reset()
    },
    async take() {
      const measured = await load.take()
      read.after = await readSoFar()
      return measured
    },
    close: load.close,
  }
}
