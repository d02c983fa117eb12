import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly rounds: number
  /** Windows of each program at each level in a round. */
  readonly turns: number
  /** Length of one measured window. */
  readonly windowMs: number
  readonly warmUpMs: number
  /** Calls under way at once. */
  readonly levels: readonly number[]
  /** Names of contenders; `undefined`: all. */
  readonly only: readonly string[] | undefined
  /** Other people's programs too. */
  readonly peers: boolean
  /** Of each topic. StateFlow's own client makes 10. */
  readonly partitions: number
  /** Calls at fixed rates, after the closed loop. */
  readonly openLoop: boolean
  /** Length of an open loop's window at the higher rate; the others take a quarter. */
  readonly openLoopMs: number
  /** Gateways with several replicas, beside the contenders or alone. */
  readonly replicas: 'too' | 'only' | 'no'
  /** How the cost grows, alone. */
  readonly curves: boolean
  readonly quick: boolean
  /** Folder for CPU profiles of the contenders. */
  readonly profileFolder: string | undefined
  /** File for the results; `undefined`: printed only. */
  readonly out: string | undefined
}

export const USAGE = `node bench/run.ts [--rounds 3] [--turns 3] [--seconds 2] [--levels 1,64,256] [--only echo,gateway-platformatic,...] [--no-peers]
                  [--partitions 10] [--open-loop] [--replicas] [--curves] [--quick] [--cpu-prof FOLDER] [--out FILE]

Without options, everything but the curves: about an hour, and it writes bench/RESULTS.md. A part of it writes only what --out names.
--only       these contenders, see below; --open-loop adds calls at fixed rates to them.
--no-peers   without other people's programs: nest, spring, kafka-hooks, restate, fastapi, zilla. Their packages are installed at the
             first run. They want Java and Maven (spring), STATEFLOW_HOME and Python (fastapi), ZILLA_HOME (zilla).
--replicas   gateways with 1, 2, 4 and 8 replicas, alone.
--curves     what a call costs as load, payload, entities, replicas and partitions grow, alone. Writes bench/CURVES.md and bench/curves/.
             With --only: in-flight, payload, entity-types, reply-partitions, replicas.
--quick      one round of one second each.
KAFKA_BROKERS names a broker that runs already; otherwise one is started.
`

export const RESULTS_FILE = 'bench/RESULTS.md'

/** @throws TypeError for what is not an option, RangeError for what is not a number */
export function readOptions(argv: readonly string[]): BenchOptions {
  const values = parse(argv)
  const { quick, only, replicas, curves } = values
  const seconds = positive('seconds', values.seconds ?? (quick ? '1' : '2'))
  const isWhole = Object.entries(values).every(([name, value]) => value === undefined || isHarmless(name, value))
  return {
    rounds: positive('rounds', values.rounds ?? (quick ? '1' : '3')),
    turns: positive('turns', values.turns ?? (quick ? '1' : '3')),
    windowMs: seconds * 1_000,
    // A heap that has shrunk while its program had little to do grows again.
    warmUpMs: quick ? 500 : 1_000,
    levels: (values.levels ?? '1,64,256').split(',').map((level) => positive('levels', level)),
    only: only?.split(','),
    peers: !values['no-peers'],
    partitions: positive('partitions', values.partitions),
    openLoop: values['open-loop'] || isWhole,
    openLoopMs: quick ? 2_000 : 20_000,
    replicas: replicas ? 'only' : isWhole ? 'too' : 'no',
    curves,
    quick,
    profileFolder: values['cpu-prof'],
    out: values.out ?? (isWhole ? RESULTS_FILE : undefined),
  }
}

function parse(argv: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  const text = { type: 'string' } as const
  const options = {
    ...{ rounds: text, turns: text, seconds: text, levels: text, only: text, 'cpu-prof': text, out: text },
    ...{ quick: flag, replicas: flag, curves: flag, 'open-loop': flag, 'no-peers': flag },
    partitions: { type: 'string', default: '10' },
  } as const
  return parseArgs({ args: [...argv], options }).values
}

/** With nothing but these, a run is a whole one. */
function isHarmless(name: string, value: string | boolean): boolean {
  return value === false || ['partitions', 'rounds', 'turns', 'seconds', 'out'].includes(name)
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 100_000)) throw new RangeError(`--${name} wants a positive number, not "${text}"`)
  return value
}
