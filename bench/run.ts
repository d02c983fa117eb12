import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { type Kafka, runningKafka, startKafka } from '../test/helpers/kafka-broker.ts'
import { type AskableChild, startChild } from './askable-child.ts'
import type { ContenderGroup } from './contender.ts'
import { contenderKinds, groupsOf } from './contender-kinds.ts'
import { drawCurves } from './curves.ts'
import { describeMachine } from './machine.ts'
import type { Surroundings } from './measure.ts'
import { type BenchOptions, readOptions, USAGE } from './options.ts'
import { childrenNamed } from './process-cpu.ts'
import { measureReplicas, WHOLE_RUN } from './replicas.ts'
import { renderResults } from './results.ts'
import { runRounds } from './rounds.ts'

/** Closes what was opened, last first, whatever happens. */
type Cleanups = (() => Promise<void>)[]

const kafkaVersion = process.env.KAFKA_BROKERS === undefined ? '4.1, one broker, started for this run' : 'KAFKA_BROKERS'

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const options = readOptions(process.argv.slice(2))
  // So that what was started ends with this process.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  // Each of many children is killed when this process ends.
  process.setMaxListeners(0)
  const cleanups: Cleanups = []
  try {
    await bench(options, cleanups)
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup()
  }
}

async function bench(options: BenchOptions, cleanups: Cleanups): Promise<void> {
  const groups = chooseGroups(options)
  const kinds = [...new Set(groups.flat())]
  const usesKafka = options.replicas !== 'no' || options.curves || kinds.some((kind) => kind.usesKafka)
  const machine = describeMachine(usesKafka ? kafkaVersion : undefined)
  const startedAt = Date.now()
  const kafka = usesKafka ? await openKafka() : undefined
  if (kafka !== undefined) cleanups.push(kafka.close)
  // Before anything else in Java is started.
  const brokerPids = childrenNamed('java')
  const worker = kafka === undefined ? undefined : await startWorker(kafka.brokers)
  if (worker !== undefined) cleanups.push(worker.close)
  const paceKeeper = await startChild({ module: new URL('./pace-keeper.ts', import.meta.url) })
  cleanups.push(paceKeeper.close)
  const surroundings: Surroundings = { worker, brokerPids, paceKeeper }
  if (options.curves && kafka !== undefined) return drawCurves(options, { kafka, surroundings, machine })
  const { closed, open, missing } = await runRounds(groups, { kafka, worker, options, surroundings })
  const replicas =
    kafka === undefined || options.replicas === 'no'
      ? []
      : await measureReplicas(options, { kafka, surroundings }, options.replicas === 'too' ? WHOLE_RUN : undefined)
  const minutes = (Date.now() - startedAt) / 60_000
  const text = renderResults({ closed, open, replicas, missing }, { machine, options, kinds, minutes })
  process.stdout.write(text)
  if (options.out !== undefined) writeFileSync(options.out, text)
  const peers = new Set(kinds.filter(({ isPeer }) => isPeer).map(({ name }) => name))
  const failed = [...closed, ...open, ...replicas].filter(
    ({ errors, contender }) => errors > 0 && !peers.has(contender),
  )
  if (failed.length > 0) process.exitCode = 1
}

function chooseGroups({ only, peers, replicas, curves }: BenchOptions): readonly ContenderGroup[] {
  if (replicas === 'only' || curves) return []
  const unknown = only?.filter((name) => !contenderKinds.some((kind) => kind.name === name)) ?? []
  const names = contenderKinds.map(({ name }) => name).join(', ')
  if (unknown.length > 0) throw new RangeError(`there is no contender ${unknown.join(', ')}; there are ${names}`)
  return groupsOf(({ name, isPeer = false }) => only?.includes(name) ?? (peers || !isPeer))
}

/** A run writes gigabytes, so the broker looks every second for segments to drop. */
function openKafka(): Promise<Kafka> {
  const given = process.env.KAFKA_BROKERS
  if (given !== undefined) return Promise.resolve(runningKafka(given.split(',')))
  return startKafka({ settings: { 'log.retention.check.interval.ms': '1000' }, isMeasured: true })
}

function startWorker(brokers: readonly string[]): Promise<AskableChild> {
  return startChild({ module: new URL('./worker.ts', import.meta.url), env: { KAFKA_BROKERS: brokers.join(',') } })
}

await main()
