import type { Kafka } from '../test/helpers/kafka-broker.ts'
import { measure, noteSample, type Sample, type Surroundings } from './measure.ts'
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
 * keyed by the call's id; `own`: those of its partitions; `none`: bare Fastify stands in place of the gateway, to show what several
 * processes cost by themselves.
 */
export type Reading = 'unkeyed' | 'all' | 'own' | 'none'

export interface ReplicaKind {
  readonly replicas: number
  readonly reading: Reading
}

/** Gateways that are compared: their windows take turns. */
export type ReplicaGroup = readonly ReplicaKind[]

const READINGS: readonly Reading[] = ['unkeyed', 'all', 'own', 'none']
/** Each by itself. */
const ALL_KINDS: readonly ReplicaGroup[] = [1, 2, 4, 8].flatMap((replicas) =>
  READINGS.map((reading) => [{ replicas, reading }]),
)
/** What the ratios need. */
export const WHOLE_RUN: readonly ReplicaGroup[] = [
  [
    { replicas: 1, reading: 'unkeyed' },
    { replicas: 8, reading: 'unkeyed' },
  ],
  [
    { replicas: 1, reading: 'all' },
    { replicas: 8, reading: 'own' },
  ],
  [
    { replicas: 1, reading: 'none' },
    { replicas: 8, reading: 'none' },
  ],
]
/** Calls under way at once, over all replicas together. */
export const REPLICAS_LEVEL = 512
/** Each replica gets a share of the calls only, so many of them take long until their compilers are done. */
const WARM_UP_MS_PER_REPLICA = 5_000

export interface ReplicasContext {
  readonly kafka: Kafka
  readonly surroundings: Surroundings
}

/** The same calls to gateways of several replicas; each round starts them anew. */
export async function measureReplicas(
  options: BenchOptions,
  context: ReplicasContext,
  groups: readonly ReplicaGroup[] = ALL_KINDS,
): Promise<readonly ReplicaSample[]> {
  const samples: ReplicaSample[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const group of groups) samples.push(...(await measureGroup(group, round, { ...context, options })))
  }
  return samples
}

async function measureGroup(
  kinds: ReplicaGroup,
  round: number,
  { kafka, surroundings, options }: ReplicasContext & { readonly options: BenchOptions },
): Promise<readonly ReplicaSample[]> {
  const { warmUpMs, windowMs, partitions, quick, turns } = options
  const samples: ReplicaSample[] = []
  const sets: { readonly kind: ReplicaKind; readonly set: ReplicaSet }[] = []
  const at = { level: REPLICAS_LEVEL, surroundings }
  try {
    for (const kind of kinds) sets.push({ kind, set: await startReplicas({ ...kind, partitions, kafka }) })
    for (const { kind, set } of sets) {
      const firstMs = quick ? WARM_UP_MS_PER_REPLICA : WARM_UP_MS_PER_REPLICA * Math.max(2, kind.replicas)
      await measure({ ...at, contender: set.contender, round: 0, warmUpMs: 0, windowMs: firstMs })
    }
    for (let turn = 1; turn <= turns; turn++) {
      for (const { kind, set } of sets) {
        const measured = await measure({ ...at, contender: set.contender, round, turn, warmUpMs, windowMs })
        const sample = { ...measured, ...kind, readPerCall: set.repliesRead() / measured.calls }
        noteSample(sample)
        samples.push(sample)
      }
    }
  } finally {
    for (const { set } of sets) await set.contender.close()
  }
  return samples
}
