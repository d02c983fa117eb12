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
}

export interface Started {
  readonly contenders: readonly Contender[]
  /** Peers that could not be started, with the reason. */
  readonly missing: ReadonlyMap<string, string>
}

/** One after the other. @throws what one of our own throws; all are closed then */
export async function startContenders(kinds: readonly ContenderKind[], context: StartContext): Promise<Started> {
  const contenders: Contender[] = []
  const missing = new Map<string, string>()
  try {
    for (const kind of kinds) {
      process.stderr.write(`starting ${kind.name}\n`)
      try {
        contenders.push(await startContender(kind, context))
      } catch (error) {
        if (kind.isPeer !== true) throw error
        missing.set(kind.name, reasonOf(error))
        process.stderr.write(`not run: ${kind.name}: ${error instanceof Error ? error.message : error}\n`)
      }
    }
  } catch (error) {
    await Promise.all(contenders.map(({ close }) => close()))
    throw error
  }
  return { contenders, missing }
}

/** One line, and nothing in it of this machine's folders. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return (text.split('\n')[0] ?? '').replaceAll(/\/\S*\//g, '').slice(0, 160)
}

async function startContender(kind: ContenderKind, { kafka, worker, options }: StartContext): Promise<Contender> {
  const { name, usesKafka, convention = 'stateflow-json' } = kind
  const requestTopic = `bench-${randomUUID().slice(0, 8)}-${name}`
  // NestJS expects replies on a topic of this name.
  const topics: TopicPair = { ...(kind.topics ?? { requestTopic, replyTopic: `${requestTopic}.reply` }), convention }
  if (usesKafka) {
    const specs = [topics.requestTopic, topics.replyTopic].map((topic) => ({ name: topic }))
    await kafka?.createTopics(
      ...specs.map((spec) => ({ ...spec, partitions: options.partitions, settings: topicSettings })),
    )
  }
  const folder = options.profileFolder
  const execArgv =
    folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`]
  return kind.start({ name, kafka, topics, execArgv, serve: async () => void (await worker?.ask('serve', topics)) })
}
