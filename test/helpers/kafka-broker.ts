import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { freePorts } from './free-ports.ts'
import { brokerProperties, type KafkaSecurity, makeSecurity } from './kafka-broker-properties.ts'
import { javaCommand, kafkaClassPath, shortLivedJvm } from './kafka-jars.ts'
import { isRunning, killProcess } from './kill-process.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const startTimeoutMs = 120_000

export interface KafkaOptions {
  readonly brokers?: 1 | 3
  /** Broker settings over the helper's own. */
  readonly settings?: Readonly<Record<string, string>>
  /** Listeners with SASL and with TLS beside the plain one. */
  readonly secured?: boolean
  /** It is measured: its JVM is a broker's, not one that starts soon. */
  readonly isMeasured?: boolean
}

export interface TopicSpec {
  readonly name: string
  readonly partitions?: number
  readonly replicas?: number
  readonly settings?: Readonly<Record<string, string>>
}

export interface Kafka {
  readonly brokers: readonly string[]
  readonly security?: KafkaSecurity
  /** SIGKILL; resolves when the process is gone. */
  kill(index: number): Promise<void>
  /** On the same port with the same data; resolves when it serves. */
  restart(index: number): Promise<void>
  createTopics(...topics: readonly TopicSpec[]): Promise<void>
  close(): Promise<void>
}

/** A Kafka that somebody else runs: it can't be killed. */
export function runningKafka(brokers: readonly string[]): Kafka {
  const refuse = () => Promise.reject(new Error('KAFKA_BROKERS names brokers that this test may not stop'))
  return {
    brokers,
    kill: refuse,
    restart: refuse,
    createTopics: (...topics) => createTopics(brokers, topics),
    close: async () => undefined,
  }
}

/** Real brokers of our own on free loopback ports; they die with this process. */
export async function startKafka({
  brokers: count = 1,
  settings = {},
  secured = false,
  isMeasured = false,
}: KafkaOptions = {}): Promise<Kafka> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-kafka-'))
  const classPath = await kafkaClassPath()
  const ports = await freePorts(count * 4)
  const security = secured ? await makeSecurity(folder, ports.slice(count * 2)) : undefined
  const place = { folder, classPath, jvm: isMeasured ? [] : shortLivedJvm }
  const nodes = Array.from({ length: count }, (_, index) => new BrokerProcess({ ...place, index }))
  const clusterId = `0${randomBytes(16).toString('base64url').slice(1, 22)}`
  for (const [index, node] of nodes.entries()) {
    await node.format(brokerProperties({ folder, index, count, ports, settings, security }), clusterId, security)
  }
  const addresses = ports.slice(0, count).map((port) => `127.0.0.1:${port}`)
  const close = async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await Promise.all(nodes.map((node) => node.start()))
  } catch (error) {
    await close()
    throw error
  }
  const at = (index: number) => {
    const node = nodes[index]
    if (node === undefined) throw new Error(`there is no broker ${index}`)
    return node
  }
  return {
    brokers: addresses,
    ...(security === undefined ? {} : { security }),
    kill: (index) => at(index).kill(),
    restart: (index) => at(index).start(),
    createTopics: (...topics) => createTopics(addresses, topics),
    close,
  }
}

interface BrokerPlace {
  readonly folder: string
  readonly classPath: string
  readonly jvm: readonly string[]
  readonly index: number
}

class BrokerProcess {
  readonly #place: BrokerPlace
  readonly #properties: string
  readonly #log: string
  #child: ChildProcess | undefined
  readonly #onExit = () => this.#child?.kill('SIGKILL')

  constructor(place: BrokerPlace) {
    this.#place = place
    this.#properties = join(place.folder, `broker-${place.index}.properties`)
    this.#log = join(place.folder, `broker-${place.index}.log`)
  }

  async format(properties: string, clusterId: string, security: KafkaSecurity | undefined): Promise<void> {
    await writeFile(this.#properties, properties)
    await writeFile(join(this.#place.folder, 'log4j2.properties'), quietLogging)
    const scram = security === undefined ? [] : security.scramCredentials.flatMap((each) => ['--add-scram', each])
    await run(
      javaCommand(),
      [
        ...this.#jvm('-Xmx128m', ...shortLivedJvm),
        'kafka.tools.StorageTool',
        ...['format', '-t', clusterId, '-c', this.#properties],
        ...scram,
      ],
      { timeout: startTimeoutMs },
    )
  }

  async start(): Promise<void> {
    const out = openSync(this.#log, 'w')
    const jvm = this.#jvm('-Xmx512m', '-Xms128m', ...this.#place.jvm)
    const child = spawn(javaCommand(), [...jvm, 'kafka.Kafka', this.#properties], { stdio: ['ignore', out, out] })
    closeSync(out)
    this.#child = child
    process.on('exit', this.#onExit)
    const deadline = Date.now() + startTimeoutMs
    while (!(await this.#text()).includes('Kafka Server started')) {
      if (!isRunning(child) || Date.now() > deadline) {
        throw new Error(`broker ${this.#place.index} did not start:\n${(await this.#text()).slice(-2_000)}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  async kill(): Promise<void> {
    process.off('exit', this.#onExit)
    await killProcess(this.#child)
  }

  #text(): Promise<string> {
    return readFile(this.#log, 'utf8').catch(() => '')
  }

  #jvm(...options: readonly string[]): string[] {
    const { folder, classPath } = this.#place
    return [...options, `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`, '-cp', classPath]
  }
}

const quietLogging = `appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %m %ex{3}%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
logger.started.name = kafka.server
logger.started.level = INFO
`

async function createTopics(brokers: readonly string[], topics: readonly TopicSpec[]): Promise<void> {
  const admin = new Admin({ clientId: 'test-topics', bootstrapBrokers: [...brokers] })
  try {
    for (const { name, partitions = 1, replicas = 1, settings = {} } of topics) {
      const configs = Object.entries(settings).map(([key, value]) => ({ name: key, value }))
      await admin.createTopics({ topics: [name], partitions, replicas, configs })
    }
    // Of topics that were made just now a broker may not know yet who leads them, and refuses to say anything of them.
    const names = topics.map(({ name }) => name)
    const haveLeaders = () =>
      admin.metadata({ topics: names, forceUpdate: true }).then(
        () => true,
        () => false,
      )
    await until('the topics have leaders', haveLeaders)
  } finally {
    await admin.close()
  }
}
