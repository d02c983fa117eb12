import { randomUUID } from 'node:crypto'
import type { Kafka } from '../test/helpers/kafka-broker.ts'
import { type AskableChild, startChild } from './askable-child.ts'
import { type Contender, demoMetadata, type TopicPair } from './contender.ts'
import { type Load, openHttpLoad } from './load.ts'
import type { ReplicaKind } from './replicas.ts'
import { moduleOf } from './starters/own.ts'
import { topicSettings } from './topic-settings.ts'
import { httpRequests } from './work.ts'

export interface SetOptions extends ReplicaKind {
  readonly partitions: number
  readonly kafka: Kafka
}

export interface ReplicaSet {
  readonly contender: Contender
  /** In the window measured last. */
  repliesRead(): number
}

export async function startReplicas(options: SetOptions): Promise<ReplicaSet> {
  const { replicas, reading } = options
  const { module, topics, env } = reading === 'none' ? bareFastify : await gatewayOf(options)
  const children: AskableChild[] = []
  // One after the other: all at once, each of them would take longer than a child may.
  for (let index = 0; index < replicas; index++) {
    children.push(await startChild({ module, env: { ...env, GATEWAY_REPLICA: `${index}/${replicas}` } }))
  }
  const read = { before: 0, after: 0 }
  const contender: Contender = {
    name: `${replicas} × ${reading}`,
    topics,
    reach: undefined,
    usage: async () => {
      const usages = await Promise.all(children.map((child) => child.usage()))
      const sum = (pick: (one: (typeof usages)[number]) => number) =>
        usages.reduce((total, one) => total + pick(one), 0)
      return { cpuMicros: sum((one) => one.cpuMicros), rssBytes: sum((one) => one.rssBytes) }
    },
    async open(level) {
      const load = await openSharedLoad(children, level)
      return topics === undefined ? load : noting(read, children, load)
    },
    close: async () => void (await Promise.all(children.map((child) => child.close()))),
  }
  return { contender, repliesRead: () => read.after - read.before }
}

/** What each of the replicas is. */
interface Program {
  readonly module: URL
  readonly topics: TopicPair | undefined
  readonly env: Readonly<Record<string, string>>
}

const bareFastify: Program = { module: moduleOf('echo'), topics: undefined, env: {} }

async function gatewayOf({ reading, partitions, kafka }: SetOptions): Promise<Program> {
  const prefix = `bench-${randomUUID().slice(0, 8)}-`
  const { topics, others, env } = reading === 'unkeyed' ? dataflowPlace(prefix) : statefunPlace(prefix)
  await kafka.createTopics(
    ...[topics.requestTopic, topics.replyTopic].map((name) => ({ name, partitions, settings: topicSettings })),
    ...others.map((name) => ({ name })),
  )
  const all = {
    GATEWAY_RUNTIME: 'stateflow',
    GATEWAY_METADATA: demoMetadata,
    KAFKA_BROKERS: kafka.brokers.join(','),
    KAFKA_REPLY_PARTITIONS: reading === 'own' ? 'own' : 'all',
    STATEFLOW_SERIALIZER: 'json',
    STATEFLOW_REPLY_TOPIC: topics.replyTopic,
    ...env,
  }
  return { module: moduleOf('gateway'), topics, env: all }
}

interface Place {
  readonly topics: TopicPair
  /** Topics that must be there, and are not used. */
  readonly others: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** As StateFlow's PyFlink jobs have it: one topic each way, and replies without a key. */
function dataflowPlace(prefix: string): Place {
  const topics = {
    requestTopic: `${prefix}request`,
    replyTopic: `${prefix}reply`,
    convention: 'stateflow-json',
  } as const
  return { topics, others: [], env: { STATEFLOW_ROUTING: 'dataflow', STATEFLOW_REQUEST_TOPIC: topics.requestTopic } }
}

/** As its StateFun functions have it: replies keyed by the call's id. A purchase begins at the item, so that is where it is sent. */
function statefunPlace(prefix: string): Place {
  const topics = {
    ...{ requestTopic: `${prefix}global_Item`, replyTopic: `${prefix}reply` },
    convention: 'stateflow-json-keyed',
  } as const
  const env = {
    STATEFLOW_ROUTING: 'statefun',
    STATEFLOW_TOPIC_PREFIX: prefix,
    STATEFLOW_PING_TOPIC: `${prefix}ping`,
  }
  const others = ['global_Item_create', 'global_User', 'global_User_create', 'ping'].map((name) => prefix + name)
  return { topics, others, env }
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
