import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { describeMachine, type Machine } from '../../bench/machine.ts'
import { stateflowUnavailable } from '../helpers/stateflow-runtime.ts'
import { type Cluster, startOwnCluster } from './cluster.ts'
import { type Fault, pause } from './fault.ts'
import { gatewayFaults, storeFaults } from './gateway-faults.ts'
import { type Ground, startGround } from './ground.ts'
import { kafkaFaults } from './kafka-faults.ts'
import { startNestCluster } from './nest-cluster.ts'
import { type FaultOptions, readOptions, USAGE } from './options.ts'
import { renderPage, renderTable, type Table } from './page.ts'
import { type Row, runRow } from './row.ts'
import { runtimeFaults } from './runtime-faults.ts'
import { startStateflowCluster } from './stateflow-cluster.ts'

const baseline: Fault = {
  name: 'none',
  what: 'Nothing is broken.',
  async inject({ isQuick }) {
    await pause(isQuick ? 500 : 2_000)
    return ''
  },
}

/** Those that restart Kafka come last: everything else would wait for it. */
const faults: readonly Fault[] = [baseline, ...runtimeFaults, ...gatewayFaults, ...storeFaults, ...kafkaFaults]

interface Subject {
  readonly name: string
  readonly note: string
  /** The rows that it can be put through; default: all. */
  readonly rows?: readonly string[]
  /** Why it is left out here; `undefined`: it isn't. */
  readonly absent?: string | undefined
  readonly inQuick: boolean
  /** Its violations are shown, and fail nothing. */
  readonly isPeer?: boolean
  readonly callsPerSecond?: number
  start(ground: Ground): Promise<Cluster>
}

const subjects: readonly Subject[] = [
  {
    name: 'stateflow-gateway',
    note: 'The runtime is one of the matrix’s own, so that it can be told to misbehave.',
    inQuick: true,
    start: startOwnCluster,
  },
  {
    name: 'stateflow-gateway before StateFlow’s own operators',
    note: 'Each call goes to a user of its own, whose balance says how often it was executed.',
    rows: ['none', 'rolling restart', 'SIGTERM under load', 'leader change'],
    absent: stateflowUnavailable('json'),
    inQuick: false,
    // Python, and each call needs a user of its own beforehand.
    callsPerSecond: 20,
    start: startStateflowCluster,
  },
  {
    name: 'NestJS ClientKafka, for comparison',
    note:
      'It has no idempotency keys, no 202 and no place where a late answer is kept; its failures are 500 and say nothing of what ' +
      'happened. So `Prefer` and `Idempotency-Key` are sent in vain, calls with a key are tried again after every 5xx, and ' +
      'nothing can be lost that was never promised: what a caller never learns counts as unknown.',
    rows: [
      ...['none', 'runtime stopped', 'late reply', 'duplicate reply', 'unreadable reply', 'rolling restart'],
      ...['replica SIGKILLed between acknowledgement and reply', 'SIGTERM under load'],
      ...['brokers SIGKILLed and restarted', 'leader change'],
    ],
    isPeer: true,
    inQuick: false,
    start: startNestCluster,
  },
]

const begun = Date.now()

function say(text: string): void {
  process.stderr.write(`${((Date.now() - begun) / 1_000).toFixed(0).padStart(4)} s  ${text}\n`)
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) return void process.stdout.write(USAGE)
  const options = readOptions(process.argv.slice(2))
  const machine = describeMachine('4.1, three brokers, started for this run')
  say('starting three brokers and Redis')
  const ground = await startGround()
  try {
    const tables: Table[] = []
    for (const subject of subjects) {
      const { name, absent, inQuick } = subject
      if ((options.isQuick && !inQuick) || !(options.subject === undefined || name.includes(options.subject))) continue
      if (absent !== undefined) say(`${name} is left out: ${absent}`)
      else
        tables.push({
          name,
          note: subject.note,
          isPeer: subject.isPeer ?? false,
          rows: await runSubject(subject, ground, options),
        })
    }
    report(tables, options, machine)
  } finally {
    say('closing')
    await ground.close()
    say('done')
  }
}

async function runSubject(subject: Subject, ground: Ground, options: FaultOptions): Promise<readonly Row[]> {
  say(`starting three replicas of ${subject.name}`)
  const cluster = await subject.start(ground)
  try {
    return await runRows(cluster, subject, options)
  } finally {
    await cluster.close()
  }
}

async function runRows(
  cluster: Cluster,
  subject: Subject,
  { isQuick, only, ...given }: FaultOptions,
): Promise<readonly Row[]> {
  const chosen = faults.filter(
    ({ name }) =>
      (subject.rows?.includes(name) ?? true) && (only.length === 0 || only.some((word) => name.includes(word))),
  )
  const callsPerSecond = Math.min(given.callsPerSecond, subject.callsPerSecond ?? Number.POSITIVE_INFINITY)
  const rows: Row[] = []
  const run = randomUUID().slice(0, 4)
  for (const [index, fault] of chosen.entries()) {
    say(fault.name)
    const row = await runRow(fault, cluster, { isQuick, callsPerSecond, prefix: `${run}-${index}` })
    rows.push(row)
    const counts = Object.entries(row.counts).filter(([, count]) => count > 0)
    say(`  ${row.calls} calls: ${counts.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}. ${row.evidence}`)
    for (const line of row.broken) say(`  BROKEN ${line}`)
  }
  return rows
}

function report(tables: readonly Table[], { isQuick, out }: FaultOptions, machine: Machine): void {
  for (const { name, rows } of tables) process.stdout.write(`${name}\n${renderTable(rows)}`)
  const own = tables.filter(({ isPeer }) => !isPeer)
  const broken = own.flatMap(({ name, rows }) =>
    rows.flatMap((row) => row.broken.map((line) => `${name}: ${row.fault.name}: ${line}\n`)),
  )
  process.stdout.write(broken.join(''))
  if (broken.length > 0) process.exitCode = 1
  if (out !== undefined) writeFileSync(out, renderPage(tables, { machine, isQuick, tookMs: Date.now() - begun }))
}

await main()
