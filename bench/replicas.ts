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
export const REPLICAS_LEVEL = 128
/** `own` needs some replies, and a second, until it begins. */
const MIN_WARM_UP_MS = 3_000

export interface ReplicasContext {
  readonly kafka: Kafka
  readonly surroundings: Surroundings
}

/** The same calls to gateways of several replicas, in turns. */
export async function measureReplicas(
  { rounds, warmUpMs, windowMs, partitions }: BenchOptions,
  { kafka, surroundings }: ReplicasContext,
  kinds: readonly ReplicaKind[] = ALL_KINDS,
): Promise<readonly ReplicaSample[]> {
  const samples: ReplicaSample[] = []
  const windows = { level: REPLICAS_LEVEL, warmUpMs: Math.max(warmUpMs, MIN_WARM_UP_MS), windowMs, surroundings }
  for (let round = 1; round <= rounds; round++) {
    for (const kind of kinds) {
      const set = await startReplicas({ ...kind, partitions, kafka })
      try {
        const sample = await measure({ contender: set.contender, round, ...windows })
        samples.push({ ...sample, ...kind, readPerCall: set.repliesRead() / sample.calls })
        note(round, set, sample)
      } finally {
        await set.contender.close()
      }
    }
  }
  return samples
}

function note(round: number, { contender }: ReplicaSet, { calls, errors, firstError = '' }: Sample): void {
  process.stderr.write(`round ${round}: ${contender.name}: ${calls} calls, ${errors} errors ${firstError}\n`)
}
