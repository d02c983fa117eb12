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

interface Running {
  readonly kind: ReplicaKind
  readonly set: ReplicaSet
}

/** The same calls to gateways of several replicas, in turns. All of them run all the time, so that each is warmed up once. */
export async function measureReplicas(
  options: BenchOptions,
  context: ReplicasContext,
  kinds: readonly ReplicaKind[] = ALL_KINDS,
): Promise<readonly ReplicaSample[]> {
  const { rounds, warmUpMs, windowMs, partitions, quick } = options
  const { kafka, surroundings } = context
  const running: Running[] = []
  const samples: ReplicaSample[] = []
  const windows = { level: REPLICAS_LEVEL, warmUpMs, windowMs, surroundings }
  try {
    for (const kind of kinds) running.push({ kind, set: await startReplicas({ ...kind, partitions, kafka }) })
    for (const { kind, set } of running) {
      const firstMs = quick ? WARM_UP_MS_PER_REPLICA : WARM_UP_MS_PER_REPLICA * kind.replicas
      await measure({ contender: set.contender, round: 0, ...windows, windowMs: firstMs })
    }
    for (let round = 1; round <= rounds; round++) {
      for (const { kind, set } of running) {
        const sample = await measure({ contender: set.contender, round, ...windows })
        samples.push({ ...sample, ...kind, readPerCall: set.repliesRead() / sample.calls })
        note(round, set, sample)
      }
    }
  } finally {
    await Promise.all(running.map(({ set }) => set.contender.close()))
  }
  return samples
}

function note(round: number, { contender }: ReplicaSet, { calls, errors, firstError = '' }: Sample): void {
  process.stderr.write(`round ${round}: ${contender.name}: ${calls} calls, ${errors} errors ${firstError}\n`)
}
