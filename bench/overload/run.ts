import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { type Kafka, runningKafka, startKafka } from '../../test/helpers/kafka-broker.ts'
import { startChild } from '../askable-child.ts'
import { demoMetadata } from '../contender.ts'
import { describeMachine } from '../machine.ts'
import { measureOverload, type Overload } from './measure.ts'
import { type OverloadOptions, readOptions, USAGE } from './options.ts'
import { renderOverload, verdictsOf } from './report.ts'

const bounded = { GATEWAY_ADAPTIVE: 'true' }
const unbounded = { GATEWAY_ADAPTIVE: 'false', GATEWAY_MAX_IN_FLIGHT_PER_KEY: '0' }
const given = process.env.KAFKA_BROKERS

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const options = readOptions(process.argv.slice(2))
  const described = describeMachine(given === undefined ? '4.1, one broker, started for this run' : 'KAFKA_BROKERS')
  const machine = { ...described, 'Further settings': furtherSettings() }
  const kafka = given === undefined ? await startKafka({ isMeasured: true }) : runningKafka(given.split(','))
  try {
    const measured = await measureGateway(kafka, options, bounded)
    const contrast = options.contrast ? await measureGateway(kafka, options, unbounded) : undefined
    const page = renderOverload({ machine, options, bounded: measured, unbounded: contrast })
    process.stdout.write(page)
    if (options.out !== undefined) writeFileSync(options.out, page)
    if (verdictsOf(measured, options).some(({ isMet }) => !isMet)) process.exitCode = 1
  } finally {
    await kafka.close()
  }
}

/** The gateway inherits this process's environment. */
function furtherSettings(): string {
  const own = Object.entries(process.env).filter(([name]) => name.startsWith('GATEWAY_'))
  return own.length === 0 ? 'none' : own.map(([name, value]) => `\`${name}=${value}\``).join(', ')
}

async function measureGateway(
  kafka: Kafka,
  options: OverloadOptions,
  limits: Readonly<Record<string, string>>,
): Promise<Overload> {
  const prefix = `overload-${randomUUID().slice(0, 8)}`
  const [requests, replies] = [`${prefix}-requests`, `${prefix}-replies`] as const
  const brokers = { KAFKA_BROKERS: kafka.brokers.join(',') }
  await kafka.createTopics({ name: requests, partitions: 4 }, { name: replies, partitions: 4 })
  const worker = await startChild({
    module: new URL('./worker.ts', import.meta.url),
    env: {
      ...brokers,
      ...{ OVERLOAD_REQUESTS: requests, OVERLOAD_REPLIES: replies },
      ...{ OVERLOAD_WORKERS: String(options.workers), OVERLOAD_SERVICE_MS: String(options.serviceMs) },
    },
  })
  const gateway = await startChild({
    module: new URL('../contenders/gateway.ts', import.meta.url),
    env: {
      ...{ ...brokers, ...limits, GATEWAY_RUNTIME: 'stateflow', GATEWAY_METADATA: demoMetadata },
      ...{ STATEFLOW_SERIALIZER: 'json', STATEFLOW_ROUTING: 'dataflow' },
      // Between phases connections idle.
      ...{ GATEWAY_KEEP_ALIVE_MS: '600000', GATEWAY_HEADERS_TIMEOUT_MS: '60000' },
      ...{ STATEFLOW_REQUEST_TOPIC: requests, STATEFLOW_REPLY_TOPIC: replies },
    },
  })
  try {
    return await measureOverload(Number(await gateway.ask('port')), options)
  } finally {
    await Promise.all([gateway.close(), worker.close()])
  }
}

await main()
