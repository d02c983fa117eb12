import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { type Kafka, runningKafka, startKafka } from '../test/helpers/kafka-broker.ts'
import { type AskableChild, startChild } from './askable-child.ts'
import { type Contender, type ContenderKind, contenderKinds, type TopicPair } from './contender.ts'
import { describeMachine } from './machine.ts'
import { measure, type Sample, type Surroundings } from './measure.ts'
import { type BenchOptions, readOptions, USAGE } from './options.ts'
import { childrenNamed } from './process-cpu.ts'
import { measureReplicas } from './replicas.ts'
import { renderReplicas } from './replicas-table.ts'
import { renderResults } from './results.ts'
import { topicSettings } from './topic-settings.ts'

/** Closes what was opened, last first, whatever happens. */
type Cleanups = (() => Promise<void>)[]

const kafkaVersion = process.env.KAFKA_BROKERS === undefined ? '4.1, one broker, started for this run' : 'KAFKA_BROKERS'

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const options = readOptions(process.argv.slice(2))
  const cleanups: Cleanups = []
  try {
    await bench(options, cleanups)
  } finally {
    for (const cleanup of cleanups.toReversed()) await cleanup()
  }
}

async function bench(options: BenchOptions, cleanups: Cleanups): Promise<void> {
  const kinds = chooseKinds(options)
  const usesKafka = options.replicas !== 'no' || kinds.some((kind) => kind.usesKafka)
  const machine = describeMachine(usesKafka ? kafkaVersion : undefined)
  const kafka = usesKafka ? await openKafka() : undefined
  if (kafka !== undefined) cleanups.push(kafka.close)
  const brokers = kafka?.brokers ?? []
  const worker = kafka === undefined ? undefined : await startWorker(brokers)
  if (worker !== undefined) cleanups.push(worker.close)
  const contenders: Contender[] = []
  for (const kind of kinds) {
    const contender = await startContender(kind, kafka, options)
    cleanups.push(contender.close)
    contenders.push(contender)
  }
  const surroundings = { worker, brokerPids: childrenNamed('java') }
  const samples = await runRounds(contenders, options, surroundings)
  await Promise.all(contenders.map(({ close }) => close()))
  const text = [renderResults(samples, machine, options)]
  if (kafka !== undefined && options.replicas !== 'no') {
    const withReplicas = await measureReplicas(options, { kafka, surroundings })
    text.push(renderReplicas(withReplicas))
    if (withReplicas.some(({ errors }) => errors > 0)) process.exitCode = 1
  }
  process.stdout.write(text.join('\n'))
  if (options.out !== undefined) writeFileSync(options.out, text.join('\n'))
  if (samples.some(({ errors }) => errors > 0)) process.exitCode = 1
}

function chooseKinds({ only, replicas }: BenchOptions): readonly ContenderKind[] {
  if (replicas === 'only') return []
  const unknown = only?.filter((name) => !contenderKinds.some((kind) => kind.name === name)) ?? []
  if (unknown.length > 0) throw new RangeError(`there is no contender ${unknown.join(', ')}\n\n${USAGE}`)
  return contenderKinds.filter(({ name }) => only?.includes(name) ?? true)
}

/** A run writes gigabytes, so the broker looks every second for segments to drop. */
function openKafka(): Promise<Kafka> {
  const given = process.env.KAFKA_BROKERS
  if (given !== undefined) return Promise.resolve(runningKafka(given.split(',')))
  return startKafka({ settings: { 'log.retention.check.interval.ms': '1000' } })
}

function startWorker(brokers: readonly string[]): Promise<AskableChild> {
  return startChild({ module: new URL('./worker.ts', import.meta.url), env: { KAFKA_BROKERS: brokers.join(',') } })
}

async function startContender(
  { name, usesKafka, start }: ContenderKind,
  kafka: Kafka | undefined,
  { partitions, profileFolder }: BenchOptions,
): Promise<Contender> {
  const prefix = `bench-${randomUUID().slice(0, 8)}-${name}`
  const topics: TopicPair = { requestTopic: `${prefix}-request`, replyTopic: `${prefix}-reply` }
  if (usesKafka) {
    const names = [topics.requestTopic, topics.replyTopic]
    await kafka?.createTopics(...names.map((topic) => ({ name: topic, partitions, settings: topicSettings })))
  }
  const execArgv =
    profileFolder === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${name}.cpuprofile`]
  return start({ brokers: kafka?.brokers ?? [], topics, execArgv })
}

/** A B C, A B C, …: a machine that slows down slows all of them down. */
async function runRounds(
  contenders: readonly Contender[],
  { rounds, levels, warmUpMs, windowMs }: BenchOptions,
  surroundings: Surroundings,
): Promise<readonly Sample[]> {
  const samples: Sample[] = []
  // A broker's first seconds are its compiler's; nothing of this is kept.
  for (const contender of contenders) {
    await measure({ contender, level: Math.max(...levels), warmUpMs, windowMs, surroundings })
  }
  for (let round = 1; round <= rounds; round++) {
    for (const level of levels) {
      for (const contender of contenders) {
        const sample = await measure({ contender, level, warmUpMs, windowMs, surroundings })
        samples.push(sample)
        note(round, sample)
      }
    }
  }
  return samples
}

function note(round: number, { contender, level, calls, elapsedMs, errors, firstError }: Sample): void {
  const rate = Math.round(calls / (elapsedMs / 1_000))
  const trouble = errors === 0 ? '' : `, ${errors} errors, the first: ${firstError}`
  process.stderr.write(`round ${round}: ${contender} at ${level}: ${rate} calls/s${trouble}\n`)
}

await main()
