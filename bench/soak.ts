import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { runningKafka, startKafka } from '../test/helpers/kafka-broker.ts'
import { type AskableChild, startChild } from './askable-child.ts'
import type { LeftOver } from './left-over.ts'
import { openHttpLoad } from './load.ts'
import { describeMachine } from './machine.ts'
import { type Soaked, type SoakSample, type Verdict, verdictsOf } from './soak-verdict.ts'
import { kafkaEnv } from './starters/gateway.ts'
import { topicSettings } from './topic-settings.ts'
import { httpRequests } from './work.ts'

/** Half of what the gateway can do, for a long time, with new metadata every ten seconds: `npm run soak`. */

const USAGE = `node bench/soak.ts [--minutes 20] [--kafka] [--out FILE]

A run of 20 minutes or more writes bench/SOAK.md; a shorter one only what --out names.
`
const RELOAD_EVERY_MS = 10_000
const CONNECTIONS = 64
const CAPACITY_MS = 5_000
const WARM_UP_MS = 10_000
/** Of the samples, the first are the compiler's and the caches'. */
const LEFT_OUT = 0.2
const WHOLE_MINUTES = 20

type Cleanups = (() => Promise<void> | void)[]

interface Ground {
  readonly name: string
  readonly gateway: AskableChild
  readonly overrides: string
}

async function main(): Promise<void> {
  const options = { minutes: { type: 'string', default: '20' }, kafka: { type: 'boolean', default: false } } as const
  const { values } = parseArgs({ options: { ...options, out: { type: 'string' }, help: { type: 'boolean' } } })
  if (values.help === true) return void process.stdout.write(USAGE)
  const minutes = Number(values.minutes)
  if (!(minutes > 0 && minutes <= 1_440)) throw new RangeError(`--minutes wants a number, not "${values.minutes}"`)
  const cleanups: Cleanups = []
  const machine = describeMachine(values.kafka ? 'of this run or KAFKA_BROKERS' : undefined)
  try {
    const soaked = [await soak(await openEmbedded(cleanups), minutes)]
    if (values.kafka) soaked.push(await soak(await openKafka(cleanups), minutes))
    const text = render(soaked, machine, minutes)
    process.stdout.write(text)
    const out = values.out ?? (minutes >= WHOLE_MINUTES ? join(import.meta.dirname, 'SOAK.md') : undefined)
    if (out !== undefined) writeFileSync(out, text)
    if (soaked.flatMap(verdictsOf).some(({ passed }) => !passed)) process.exitCode = 1
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup()
  }
}

async function openEmbedded(cleanups: Cleanups): Promise<Ground> {
  return openGateway('embedded', { GATEWAY_RUNTIME: 'embedded' }, cleanups)
}

async function openKafka(cleanups: Cleanups): Promise<Ground> {
  const given = process.env.KAFKA_BROKERS
  const kafka = given === undefined ? await startKafka({ isMeasured: true }) : runningKafka(given.split(','))
  cleanups.push(() => kafka.close())
  const { brokers } = kafka
  const prefix = `soak-${randomUUID().slice(0, 8)}`
  const topics = {
    requestTopic: `${prefix}-request`,
    replyTopic: `${prefix}-reply`,
    convention: 'stateflow-json' as const,
  }
  const names = [topics.requestTopic, topics.replyTopic]
  await kafka.createTopics(...names.map((name) => ({ name, partitions: 10, settings: topicSettings })))
  const worker = await startChild({
    module: new URL('./worker.ts', import.meta.url),
    env: { KAFKA_BROKERS: brokers.join(',') },
  })
  cleanups.push(worker.close)
  await worker.ask('serve', topics)
  return openGateway('gateway-platformatic', kafkaEnv('platformatic', { kafka, topics }), cleanups)
}

async function openGateway(name: string, env: Readonly<Record<string, string>>, cleanups: Cleanups): Promise<Ground> {
  const folder = mkdtempSync(join(tmpdir(), 'soak-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  const overrides = join(folder, 'overrides.json')
  writeFileSync(overrides, '{}')
  const gateway = await startChild({
    module: new URL('./contenders/gateway.ts', import.meta.url),
    env: { ...env, GATEWAY_OVERRIDES: overrides },
    execArgv: ['--expose-gc'],
  })
  cleanups.push(gateway.close)
  return { name, gateway, overrides }
}

async function soak(ground: Ground, minutes: number): Promise<Soaked> {
  const port = Number(await ground.gateway.ask('port'))
  const requests = httpRequests(`127.0.0.1:${port}`)
  const capacity = await capacityOf(port, requests)
  const rate = capacity / 2
  note(`${ground.name}: ${Math.round(capacity)} calls/s, so ${Math.round(rate)} for ${minutes} minutes`)
  const intervalMs = (CONNECTIONS / rate) * 1_000
  const load = await openHttpLoad({ ports: [port], connections: CONNECTIONS, requests, intervalMs })
  const reloads: Record<string, number> = {}
  const samples: SoakSample[] = []
  const untilMs = Date.now() + minutes * 60_000
  for (let round = 1; Date.now() < untilMs; round++) {
    await sleep(Math.min(RELOAD_EVERY_MS, untilMs - Date.now()))
    // Its answer is that of our own child.
    const left = (await ground.gateway.ask('leftOver')) as LeftOver
    samples.push({ atMs: Date.now(), ...left })
    writeFileSync(ground.overrides, JSON.stringify({ 'User.buy_item': { deadlineMs: 10_000 + round } }))
    const kind = String(await ground.gateway.ask('reload'))
    reloads[kind] = (reloads[kind] ?? 0) + 1
    note(`${ground.name} ${round}: ${kind}, ${(left.heapBytes / 1_048_576).toFixed(1)} MiB`)
  }
  const measured = await load.take()
  await load.close()
  const kept = samples.slice(Math.floor(samples.length * LEFT_OUT))
  return { name: ground.name, connections: CONNECTIONS, capacity, rate, measured, reloads, samples: kept }
}

/** A closed loop, after the compiler has done its work. */
async function capacityOf(port: number, requests: readonly Buffer[]): Promise<number> {
  const load = await openHttpLoad({ ports: [port], connections: CONNECTIONS, requests })
  await sleep(WARM_UP_MS)
  await load.reset()
  await sleep(CAPACITY_MS)
  const { calls, elapsedMs } = await load.take()
  await load.close()
  return calls / (elapsedMs / 1_000)
}

function render(all: readonly Soaked[], machine: Readonly<Record<string, string>>, minutes: number): string {
  const row = ({ what, passed, figures }: Verdict) => `| ${what} | ${passed ? 'PASS' : 'FAIL'} | ${figures} |`
  const parts = all.map((soaked) => {
    const { name, capacity, rate, measured } = soaked
    const calls = measured.calls / (measured.elapsedMs / 1_000)
    const speed = `${Math.round(capacity)} calls/s can be done; ${Math.round(rate)} were asked for and ${Math.round(calls)} came, p99 ${(measured.p99Us / 1_000).toFixed(1)} ms.`
    return `## ${name}\n\n${speed}\n\n| what | verdict | figures |\n|---|---|---|\n${verdictsOf(soaked).map(row).join('\n')}\n`
  })
  const facts = Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`)
  return `# Soak\n\n<!-- Written by \`npm run soak\`. -->\n\n${minutes} minutes at half of capacity over ${CONNECTIONS} connections, new metadata every ${RELOAD_EVERY_MS / 1_000} s. The heap is read after the\ngarbage was collected; the first fifth of the samples is left out.\n\n${facts.join('\n')}\n\n${parts.join('\n')}`
}

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

await main()
