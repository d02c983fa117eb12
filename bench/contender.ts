import { type AskableChild, startChild } from './askable-child.ts'
import { openBatchLoad } from './batch-load.ts'
import { type Load, type Measured, openHttpLoad } from './load.ts'
import type { Usage } from './parent-channel.ts'
import { httpRequests, KEYS } from './work.ts'

/** The topics of one contender: its own, so that it does not read the others' replies. */
export interface TopicPair {
  readonly requestTopic: string
  readonly replyTopic: string
  /** Replies are keyed by the call's id. Default: without a key. */
  readonly keyed?: boolean
}

export interface Contender {
  readonly name: string
  /** Undefined where nothing goes through Kafka. */
  readonly topics: TopicPair | undefined
  usage(): Promise<Usage>
  open(level: number): Promise<Load>
  close(): Promise<void>
}

export interface ContenderSetup {
  readonly brokers: readonly string[]
  readonly topics: TopicPair
  readonly execArgv: readonly string[]
}

type Start = (setup: ContenderSetup) => Promise<Contender>

export const metadata = new URL('../test/golden/stateflow/demo.metadata.json', import.meta.url).pathname
const clients = ['platformatic', 'kafkajs'] as const

export interface ContenderKind {
  readonly name: string
  readonly usesKafka: boolean
  /** What it is compared with, beside the echo. */
  readonly floor: string | undefined
  readonly start: Start
}

/** Everything that runs against each other, floors first. */
export const contenderKinds: readonly ContenderKind[] = [
  { name: 'echo', usesKafka: false, floor: undefined, start: startEcho },
  { name: 'embedded', usesKafka: false, floor: undefined, start: startEmbedded(overHttp) },
  { name: 'embedded-batch', usesKafka: false, floor: 'embedded', start: startEmbedded(overBatch) },
  { name: 'raw-endpoint', usesKafka: false, floor: undefined, start: startRawEndpoint },
  { name: 'statefun-endpoint', usesKafka: false, floor: 'raw-endpoint', start: startStatefunEndpoint },
  ...clients.flatMap((client) => [
    { name: `raw-${client}`, usesKafka: true, floor: undefined, start: startRawKafka(client) },
    { name: `gateway-${client}`, usesKafka: true, floor: `raw-${client}`, start: startGateway(client, overHttp) },
    { name: `batch-${client}`, usesKafka: true, floor: `gateway-${client}`, start: startGateway(client, overBatch) },
  ]),
]

async function startEcho({ execArgv }: ContenderSetup): Promise<Contender> {
  const child = await startChild({ module: new URL('./contenders/echo.ts', import.meta.url), execArgv })
  return overHttp('echo', child, undefined)
}

type Reach = (name: string, child: AskableChild, topics: TopicPair | undefined) => Promise<Contender>

function startEmbedded(reach: Reach): Start {
  return async ({ execArgv }) => {
    const env = { GATEWAY_RUNTIME: 'embedded' }
    const child = await startChild({ module: new URL('./contenders/gateway.ts', import.meta.url), env, execArgv })
    return reach('embedded', child, undefined)
  }
}

/** Each has functions of its own, so that none meets connections of another. */
function startFunctions(): Promise<AskableChild> {
  return startChild({ module: new URL('./contenders/function-endpoint.ts', import.meta.url) })
}

async function startRawEndpoint({ execArgv }: ContenderSetup): Promise<Contender> {
  const functions = await startFunctions()
  const env = { FUNCTIONS_PORT: String(await functions.ask('port')) }
  const child = await startChild({ module: new URL('./contenders/raw-endpoint.ts', import.meta.url), env, execArgv })
  return {
    name: 'raw-endpoint',
    topics: undefined,
    usage: child.usage,
    open: (level) => openRemoteLoad(child, level),
    close: () => closeBoth(child, functions),
  }
}

async function startStatefunEndpoint({ execArgv }: ContenderSetup): Promise<Contender> {
  const functions = await startFunctions()
  const env = {
    GATEWAY_RUNTIME: 'statefun-endpoint',
    GATEWAY_METADATA: new URL('../examples/statefun-typescript/metadata.json', import.meta.url).pathname,
    STATEFUN_ENDPOINTS: `http://127.0.0.1:${await functions.ask('port')}/`,
  }
  const child = await startChild({ module: new URL('./contenders/gateway.ts', import.meta.url), env, execArgv })
  const contender = await overHttp('statefun-endpoint', child, undefined)
  return { ...contender, close: () => closeBoth(child, functions) }
}

async function closeBoth(child: AskableChild, functions: AskableChild): Promise<void> {
  await child.close()
  await functions.close()
}

function startGateway(client: string, reach: Reach): Start {
  return async (setup) => {
    const module = new URL('./contenders/gateway.ts', import.meta.url)
    const child = await startChild({ module, env: kafkaEnv(client, setup), execArgv: setup.execArgv })
    return reach(`gateway-${client}`, child, setup.topics)
  }
}

function startRawKafka(client: string): Start {
  return async (setup) => {
    const module = new URL('./contenders/raw-kafka.ts', import.meta.url)
    const child = await startChild({ module, env: kafkaEnv(client, setup), execArgv: setup.execArgv })
    return {
      name: `raw-${client}`,
      topics: setup.topics,
      usage: child.usage,
      open: (level) => openRemoteLoad(child, level),
      close: child.close,
    }
  }
}

export function kafkaEnv(client: string, { brokers, topics }: ContenderSetup): Readonly<Record<string, string>> {
  return {
    GATEWAY_RUNTIME: 'stateflow',
    GATEWAY_METADATA: metadata,
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_CLIENT: client,
    STATEFLOW_SERIALIZER: 'json',
    STATEFLOW_ROUTING: 'dataflow',
    STATEFLOW_REQUEST_TOPIC: topics.requestTopic,
    STATEFLOW_REPLY_TOPIC: topics.replyTopic,
  }
}

async function overHttp(name: string, child: AskableChild, topics: TopicPair | undefined): Promise<Contender> {
  const port = Number(await child.ask('port'))
  const requests = httpRequests(`127.0.0.1:${port}`)
  return {
    name,
    topics,
    usage: child.usage,
    open: (connections) => openHttpLoad({ ports: [port], connections, requests }),
    close: child.close,
  }
}

/** One connection, whatever the level: the batch itself is what is under way side by side. */
async function overBatch(name: string, child: AskableChild, topics: TopicPair | undefined): Promise<Contender> {
  const port = Number(await child.ask('port'))
  const batchName = name === 'embedded' ? 'embedded-batch' : name.replace('gateway', 'batch')
  return {
    name: batchName,
    topics,
    usage: child.usage,
    open: () => openBatchLoad({ port, window: KEYS }),
    close: child.close,
  }
}

/** The closed loop runs in the contender itself: there is no HTTP to reach it by. */
async function openRemoteLoad(child: AskableChild, level: number): Promise<Load> {
  await child.ask('open', level)
  return {
    reset: async () => void (await child.ask('reset')),
    // `raw-kafka.ts` answers with what its own load has measured.
    take: async () => (await child.ask('take')) as Measured,
    close: async () => void (await child.ask('close')),
  }
}
