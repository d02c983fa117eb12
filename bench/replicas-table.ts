import { renderTable } from './markdown-table.ts'
import { REPLICAS_LEVEL, type ReplicaSample } from './replicas.ts'
import { cpuOf, median, rate, spread } from './statistics.ts'

const HEADINGS = ['replicas', 'read', 'calls/s', 'CPU ms/1k', '× of 1', 'replies read a call', 'RSS MB', 'errors']

/** The section on gateways of several replicas. */
export function renderReplicas(samples: readonly ReplicaSample[]): string {
  const kinds = [...new Set(samples.map(kindOf))]
  const rows = kinds.map((kind) => renderRow(samples, kind))
  return [
    '## Several replicas',
    '',
    `The same calls with ${REPLICAS_LEVEL} under way, shared out among the replicas of one gateway (@platformatic/kafka). *unkeyed*: the runtime writes replies`,
    'without a key, as StateFlow’s PyFlink does, and every replica reads all of them. *all* and *own*: it keys them by the call’s id, as StateFlow’s',
    'StateFun functions do, and every replica reads all of them, or only those that come to its partitions (`KAFKA_REPLY_PARTITIONS`). *none*: bare',
    'Fastify that answers at once, which is what several processes cost by themselves. CPU and RSS are those of all replicas together; *× of 1*',
    'compares the CPU of a call with a single replica that reads all. All replicas share the machine with broker, worker and load, so calls/s do not',
    'grow with them.',
    '',
    ...renderTable([HEADINGS, ...rows]),
    '',
  ].join('\n')
}

function kindOf({ replicas, reading }: Pick<ReplicaSample, 'replicas' | 'reading'>): string {
  return `${replicas} ${reading}`
}

function renderRow(samples: readonly ReplicaSample[], kind: string): readonly string[] {
  const own = samples.filter((sample) => kindOf(sample) === kind)
  const [replicas = '', reading = ''] = kind.split(' ')
  const single = samples.filter((sample) => kindOf(sample) === `1 ${reading === 'own' ? 'all' : reading}`)
  const cpu = own.map(cpuOf)
  return [
    replicas,
    reading,
    spread(own.map(rate), 0),
    spread(cpu, 1),
    (median(cpu) / median(single.map(cpuOf))).toFixed(2),
    median(own.map(({ readPerCall }) => readPerCall)).toFixed(2),
    (median(own.map(({ rssBytes }) => rssBytes)) / 1_048_576).toFixed(0),
    String(own.reduce((sum, { errors }) => sum + errors, 0)),
  ]
}
