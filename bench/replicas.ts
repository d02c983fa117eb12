import type { Kafka } from '../test/helpers/kafka-broker.ts'
import { measure, type Sample, type Surroundings } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { type ReplicaSet, startReplicas } from './replica-set.ts'

/** One window of one gateway of several replicas. */
export interface ReplicaSample extends Sample {
  readonly replicas: number
  readonly reading: Reading
  /** Replies that all replicas together have read for one call. */
  readonly readPerCall: number
}

/**
 * What the replicas read. `unkeyed`: all replies, since the runtime writes them without a key; `all`: all of them, though they are
 * keyed by the call's id; `own`: those of its partitions.
 */
export type Reading = 'unkeyed' | 'all' | 'own'

export interface ReplicaKind {
  readonly replicas: number
  readonly reading: Reading
}

const READINGS: readonly Reading[] = ['unkeyed', 'all', 'own']
export const ALL_KINDS: readonly ReplicaKind[] = [1, 2, 4, 8].flatMap((replicas) =>
  READINGS.map((reading) => ({ replicas, reading })),
)
/** What the ratios need. */
export const WHOLE_RUN = ALL_KINDS.filter(
  ({ replicas, reading }) => (replicas === 1 && reading !== 'own') || (replicas === 8 && reading !== 'all'),
)
/** Calls under way at once, over all replicas together. */
export const REPLICAS_LEVEL = 512
/** Each replica gets a share of the calls only, so many of them take long until their compilers are done. */
const WARM_UP_MS_PER_REPLICA = 5_000

export interface ReplicasContext {
  readonly kafka: Kafka
  readonly surroundings: Surroundings
}

/** The same calls to gateways of several replicas, in turns. One gateway runs at a time, and each round starts it anew. */
export async function measureReplicas(
  options: BenchOptions,
  context: ReplicasContext,
  kinds: readonly ReplicaKind[] = ALL_KINDS,
): Promise<readonly ReplicaSample[]> {
  const samples: ReplicaSample[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const kind of kinds) samples.push(await measureSet(kind, round, { ...context, options }))
  }
  return samples
}

async function measureSet(
  kind: ReplicaKind,
  round: number,
  { kafka, surroundings, options }: ReplicasContext & { readonly options: BenchOptions },
): Promise<ReplicaSample> {
  const { warmUpMs, windowMs, partitions, quick } = options
  const set = await startReplicas({ ...kind, partitions, kafka })
  const windows = { contender: set.contender, level: REPLICAS_LEVEL, warmUpMs, surroundings }
  try {
    const firstMs = quick ? WARM_UP_MS_PER_REPLICA : WARM_UP_MS_PER_REPLICA * Math.max(2, kind.replicas)
    await measure({ ...windows, round: 0, windowMs: firstMs })
    const measured = await measure({ ...windows, round, windowMs })
    const sample = { ...measured, ...kind, readPerCall: set.repliesRead() / measured.calls }
    note(round, set, sample)
    return sample
  } finally {
    await set.contender.close()
  }
}

function note(round: number, { contender }: ReplicaSet, { calls, errors, firstError = '' }: Sample): void {
  process.stderr.write(`round ${round}: ${contender.name}: ${calls} calls, ${errors} errors ${firstError}\n`)
}
