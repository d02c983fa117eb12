import { REPLICAS_LEVEL, type ReplicaSample } from './replicas.ts'
import { median, rate, renderTable, spread } from './results.ts'

const HEADINGS = ['replicas', 'read', 'calls/s', 'CPU ms/1k', '× of 1', 'replies read a call', 'RSS MB', 'errors']

/** The section on gateways of several replicas. */
export function renderReplicas(samples: readonly ReplicaSample[]): string {
  const kinds = [...new Set(samples.map(kindOf))]
  const rows = kinds.map((kind) => renderRow(samples, kind))
  return [
    '## Several replicas',
    '',
    `The same calls with ${REPLICAS_LEVEL} under way, shared out among the replicas of one gateway (@platformatic/kafka). The worker keys replies by`,
    'the call’s id, as StateFlow’s StateFun functions do. *all*: every replica reads all replies; *own*: only those that come to its',
    'partitions (`KAFKA_REPLY_PARTITIONS`). CPU and RSS are those of all replicas together; *× of 1* compares the CPU of a call with',
    'a single replica that reads all. All replicas share the machine with broker, worker and load, so calls/s do not grow with them.',
    '',
    ...renderTable([HEADINGS, ...rows]),
    '',
  ].join('\n')
}

function kindOf({ replicas, reading }: ReplicaSample): string {
  return `${replicas} ${reading}`
}

function renderRow(samples: readonly ReplicaSample[], kind: string): readonly string[] {
  const own = samples.filter((sample) => kindOf(sample) === kind)
  const single = samples.filter((sample) => kindOf(sample) === '1 all')
  const cpu = own.map(cpuOf)
  return [
    kind.split(' ')[0] ?? '',
    kind.split(' ')[1] ?? '',
    spread(own.map(rate), 0),
    spread(cpu, 1),
    (median(cpu) / median(single.map(cpuOf))).toFixed(2),
    median(own.map(({ readPerCall }) => readPerCall)).toFixed(2),
    (median(own.map(({ rssBytes }) => rssBytes)) / 1_048_576).toFixed(0),
    String(own.reduce((sum, { errors }) => sum + errors, 0)),
  ]
}

/** Milliseconds for 1,000 calls. */
function cpuOf({ cpuMs, calls }: ReplicaSample): number {
  return cpuMs / (calls / 1_000)
}
