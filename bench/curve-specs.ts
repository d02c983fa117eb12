import { randomUUID } from 'node:crypto'
import type { Kafka } from '../test/helpers/kafka-broker.ts'
import { createTemporaryFolder } from '../test/helpers/temporary-folder.ts'
import type { Contender, Start, TopicPair } from './contender.ts'
import type { Convention } from './conventions.ts'
import { manyTypesDocument, typeOf } from './many-types-document.ts'
import { startGateway } from './starters/gateway.ts'
import { overHttp, startEcho, startMinimal } from './starters/own.ts'
import { topicSettings } from './topic-settings.ts'
import { type Dress, userOf } from './work.ts'

export interface CurveSpec {
  readonly file: string
  readonly title: string
  readonly xLabel: string
  readonly note: string
  readonly lines: readonly LineSpec[]
}

export interface LineSpec {
  readonly line: string
  readonly xs: readonly number[]
  /** The same one again where only the load differs. */
  at(x: number, place: CurvePlace): Promise<Contender>
  levelOf(x: number): number
}

export interface CurvePlace {
  readonly kafka: Kafka
  readonly partitions: number
}

const IN_FLIGHT = [1, 4, 16, 64, 256, 1_024]
const PAYLOADS_BYTES = [100, 1_000, 10_000, 100_000, 1_000_000]
const LEVEL = 64
/** Large bodies would fill the sockets of many callers. */
const PAYLOAD_LEVEL = 16

export const curveSpecs: readonly CurveSpec[] = [
  {
    file: 'in-flight',
    title: 'CPU of a call by calls under way',
    xLabel: 'calls under way',
    note: 'A closed loop. `echo` is bare Fastify, `minimal` the least program that does the same work without any protection.',
    lines: [
      inFlight('gateway', { start: startGateway('platformatic'), convention: 'stateflow-json' }),
      inFlight('minimal', { start: startMinimal, convention: 'minimal' }),
      inFlight('echo', { start: startEcho, convention: 'stateflow-json' }),
    ],
  },
  {
    file: 'payload',
    title: 'CPU of a call by payload',
    xLabel: 'bytes of the body',
    note: `${PAYLOAD_LEVEL} calls under way. The body is one long text, which the gateway checks and writes into the record; answers are small.`,
    lines: [
      {
        ...{ line: 'gateway', xs: PAYLOADS_BYTES, levelOf: () => PAYLOAD_LEVEL },
        at: (bytes, place) => startTyped(place, { types: 1, dress: payloadDress(bytes) }),
      },
      {
        ...{ line: 'echo', xs: PAYLOADS_BYTES, levelOf: () => PAYLOAD_LEVEL },
        at: (bytes, place) =>
          startOn(place, {
            start: startEchoWith({ body: payloadBody(bytes), count: PAYLOAD_LEVEL }),
            convention: 'stateflow-json',
          }),
      },
    ],
  },
  {
    file: 'entity-types',
    title: 'CPU of a call by number of entity types',
    xLabel: 'entity types in the metadata',
    note: `${LEVEL} calls under way, shared out among all types.`,
    lines: [
      {
        ...{ line: 'gateway', xs: [1, 10, 100, 500], levelOf: () => LEVEL },
        at: (types, place) => startTyped(place, { types, dress: typesDress(types) }),
      },
    ],
  },
  {
    file: 'reply-partitions',
    title: 'CPU of a call by reply partitions',
    xLabel: 'partitions of the reply topic',
    note: `${LEVEL} calls under way; requests go to 10 partitions.`,
    lines: [
      {
        ...{ line: 'gateway', xs: [1, 4, 16, 64], levelOf: () => LEVEL },
        at: (replyPartitions, place) =>
          startOn({ ...place, replyPartitions }, { start: startGateway('platformatic'), convention: 'stateflow-json' }),
      },
    ],
  },
]

interface Runner {
  readonly start: Start
  readonly convention: Convention
}

function inFlight(line: string, runner: Runner): LineSpec {
  let running: Promise<Contender> | undefined
  return {
    ...{ line, xs: IN_FLIGHT, levelOf: (x) => x },
    at(_x, place) {
      running ??= startOn(place, runner)
      return running
    },
  }
}

type OnPlace = CurvePlace & { readonly replyPartitions?: number }

async function startOn({ kafka, partitions, replyPartitions = partitions }: OnPlace, { start, convention }: Runner) {
  const requestTopic = `bench-${randomUUID().slice(0, 8)}`
  const topics: TopicPair = { requestTopic, replyTopic: `${requestTopic}.reply`, convention }
  await kafka.createTopics(
    { name: requestTopic, partitions, settings: topicSettings },
    { name: topics.replyTopic, partitions: replyPartitions, settings: topicSettings },
  )
  return start({ name: 'gateway', kafka, topics, execArgv: [], serve: async () => undefined })
}

interface Typed {
  readonly types: number
  readonly dress: Dress
}

async function startTyped(place: CurvePlace, { types, dress }: Typed): Promise<Contender> {
  const folder = createTemporaryFolder()
  const env = {
    GATEWAY_METADATA: folder.write('types.metadata.json', manyTypesDocument(types)),
    // As much as a broker takes with its defaults.
    KAFKA_MAX_RECORD_BYTES: '1040000',
  }
  const start = startGateway('platformatic', { env, reach: overHttp(dress) })
  const contender = await startOn(place, { start, convention: 'stateflow-json' })
  folder.close()
  return contender
}

function startEchoWith(dress: Dress): Start {
  return (setup) => startEcho({ ...setup, dress })
}

function payloadBody(bytes: number) {
  const text = 'x'.repeat(Math.max(0, bytes - '{"text":""}'.length))
  return () => ({ text })
}

function payloadDress(bytes: number): Dress {
  return { path: (index) => `/${typeOf(0)}/${userOf(index)}/note`, body: payloadBody(bytes), count: PAYLOAD_LEVEL }
}

function typesDress(types: number): Dress {
  return { path: (index) => `/${typeOf(index % types)}/${userOf(index)}/note`, body: payloadBody(100) }
}
