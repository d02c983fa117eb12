import type { Kafka } from '../test/helpers/kafka-broker.ts'
import type { Convention } from './conventions.ts'
import type { Load } from './load.ts'
import type { Usage } from './parent-channel.ts'
import type { Pause } from './pauses.ts'
import type { Dress } from './work.ts'

/** The topics of one contender: its own, so that it does not read the others' replies. */
export interface TopicPair {
  readonly requestTopic: string
  readonly replyTopic: string
  /** How the worker finds a call's id in requests, and says it in replies. */
  readonly convention: Convention
}

/** Where it answers over HTTP, and what it is asked. */
export interface HttpReach {
  readonly ports: readonly [number, ...number[]]
  readonly requests: readonly Buffer[]
}

export interface Contender {
  readonly name: string
  /** Undefined where nothing goes through our Kafka worker. */
  readonly topics: TopicPair | undefined
  /** Of all its processes together. */
  usage(): Promise<Usage>
  /** Of each, where there are several. */
  readonly processes?: () => readonly (Usage & { readonly process: string })[]
  open(level: number): Promise<Load>
  /** Undefined where there is no HTTP to reach it by. */
  readonly reach: HttpReach | undefined
  /** Of its garbage collector, since the last question. Undefined where it can't be asked. */
  readonly pauses?: () => Promise<readonly Pause[]>
  close(): Promise<void>
}

export interface ContenderSetup {
  readonly name: string
  /** Undefined where no contender of this run needs it. */
  readonly kafka: Kafka | undefined
  readonly topics: TopicPair
  readonly execArgv: readonly string[]
  /** How it is asked, where it is not as ever. */
  readonly dress?: Dress
  /** The worker answers on these topics from now on; for contenders that are ready only once a call comes back. */
  serve(): Promise<void>
}

export type Start = (setup: ContenderSetup) => Promise<Contender>

export interface ContenderKind {
  readonly name: string
  readonly usesKafka: boolean
  /** Default: StateFlow's JSON. */
  readonly convention?: Convention
  /** Where the program's topics can't be chosen. */
  readonly topics?: Pick<TopicPair, 'requestTopic' | 'replyTopic'>
  /** What it is compared with, beside the echo. */
  readonly floor: string | undefined
  /** Somebody else's program: what is missing for it, or fails in it, does not fail the run. */
  readonly isPeer?: boolean
  /** `highest`: only there, since it is its own measure of calls under way. */
  readonly levels?: 'highest'
  /** Milliseconds of load before anything is measured; long for what compiles while it runs. */
  readonly firstWarmUpMs?: number
  readonly start: Start
}

/** Programs that are compared: their windows take turns. */
export type ContenderGroup = readonly ContenderKind[]

export const demoMetadata = new URL('../test/golden/stateflow/demo.metadata.json', import.meta.url).pathname
