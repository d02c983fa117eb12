import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly rounds: number
  /** Length of one measured window. */
  readonly windowMs: number
  readonly warmUpMs: number
  /** Calls under way at once. */
  readonly levels: readonly number[]
  /** Names of contenders; `undefined`: all. */
  readonly only: readonly string[] | undefined
  /** Of each topic. StateFlow's own client makes 10. */
  readonly partitions: number
  /** Gateways with 1, 2 and 4 replicas, beside the contenders or alone. */
  readonly replicas: 'too' | 'only' | 'no'
  /** Folder for CPU profiles of the contenders. */
  readonly profileFolder: string | undefined
  /** File for the results; `undefined`: printed only. */
  readonly out: string | undefined
}

export const USAGE = `node bench/run.ts [--rounds 3] [--seconds 4] [--levels 1,64,256] [--only echo,embedded,...]
                  [--partitions 10] [--replicas] [--quick] [--cpu-prof FOLDER] [--out FILE]

Contenders: echo, embedded, embedded-batch, raw-endpoint, statefun-endpoint, gateway-platformatic, gateway-kafkajs, batch-platformatic, batch-kafkajs,
raw-platformatic, raw-kafkajs.
--replicas measures gateways with several replicas alone. --quick is one round of one second each.
A whole run writes bench/RESULTS.md; a part of it only what --out names.
KAFKA_BROKERS names a broker that runs already; otherwise one is started.
`

export const RESULTS_FILE = 'bench/RESULTS.md'

/** @throws TypeError for what is not an option, RangeError for what is not a number */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      levels: { type: 'string' },
      only: { type: 'string' },
      partitions: { type: 'string', default: '10' },
      quick: { type: 'boolean', default: false },
      replicas: { type: 'boolean', default: false },
      'cpu-prof': { type: 'string' },
      out: { type: 'string' },
    },
  })
  const { quick, only, replicas } = values
  const seconds = positive('seconds', values.seconds ?? (quick ? '1' : '4'))
  const isWhole =
    !quick && !replicas && only === undefined && values.levels === undefined && values['cpu-prof'] === undefined
  return {
    rounds: positive('rounds', values.rounds ?? (quick ? '1' : '3')),
    windowMs: seconds * 1_000,
    warmUpMs: quick ? 500 : 2_000,
    levels: (values.levels ?? '1,64,256').split(',').map((level) => positive('levels', level)),
    only: only?.split(','),
    partitions: positive('partitions', values.partitions),
    replicas: replicas ? 'only' : isWhole ? 'too' : 'no',
    profileFolder: values['cpu-prof'],
    out: values.out ?? (isWhole ? RESULTS_FILE : undefined),
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 100_000)) throw new RangeError(`--${name} wants a positive number, not "${text}"`)
  return value
}
