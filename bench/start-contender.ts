import { randomUUID } from 'node:crypto'
import type { Kafka } from '../test/helpers/kafka-broker.ts'
import type { AskableChild } from './askable-child.ts'
import type { Contender, ContenderKind, TopicPair } from './contender.ts'
import type { BenchOptions } from './options.ts'
import { topicSettings } from './topic-settings.ts'

export interface StartContext {
  readonly kafka: Kafka | undefined
  readonly worker: AskableChild | undefined
  readonly options: BenchOptions
  /** By contender: made at its first start, and kept for the next ones. */
  readonly topics: Map<string, TopicPair>
}

/** Running, or somebody else's program that can't be started, with the reason. */
export type Started = { readonly contender: Contender } | { readonly reason: string }

/** @throws what one of our own throws */
export async function startContender(kind: ContenderKind, context: StartContext): Promise<Started> {
  try {
    return { contender: await start(kind, context) }
  } catch (error) {
    if (kind.isPeer !== true) throw error
    process.stderr.write(`not run: ${kind.name}: ${error instanceof Error ? error.message : error}\n`)
    return { reason: reasonOf(error) }
  }
}

/** One line, and nothing in it of this machine's folders. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return (text.split('\n')[0] ?? '').replaceAll(/\/\S*\//g, '').slice(0, 160)
}

async function start(kind: ContenderKind, context: StartContext): Promise<Contender> {
  const { kafka, worker, options } = context
  const { name } = kind
  const topics = context.topics.get(name) ?? (await createTopics(kind, context))
  context.topics.set(name, topics)
  const folder = options.profileFolder
  const execArgv =
    folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`]
  return kind.start({ name, kafka, topics, execArgv, serve: async () => void (await worker?.ask('serve', topics)) })
}

async function createTopics(kind: ContenderKind, { kafka, options }: StartContext): Promise<TopicPair> {
  const { name, usesKafka, convention = 'stateflow-json' } = kind
  const requestTopic = `bench-${randomUUID().slice(0, 8)}-${name}`
  // NestJS expects replies on a topic of this name.
  const topics: TopicPair = { ...(kind.topics ?? { requestTopic, replyTopic: `${requestTopic}.reply` }), convention }
  if (!usesKafka) return topics
  const { partitions } = options
  const names = [topics.requestTopic, topics.replyTopic]
  await kafka?.createTopics(...names.map((each) => ({ name: each, partitions, settings: topicSettings })))
  return topics
}
