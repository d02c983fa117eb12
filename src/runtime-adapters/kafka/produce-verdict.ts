import type { KafkaRecord } from './transport.ts'

/** Records that travel to one partition together; a broker appends all of them or none. */
export interface PartitionBatch {
  readonly topic: string
  readonly partition: number
  readonly records: readonly KafkaRecord[]
}

/** What became of a batch. Only `unknown` leaves open whether it is in the log. */
export type ProduceVerdict =
  | { readonly kind: 'acknowledged' }
  /** Not appended, and it would not be the next time. */
  | { readonly kind: 'refused'; readonly cause: 'too-large' | 'broker-unavailable'; readonly detail: string }
  /** Not appended; another leader or a later moment may take it. */
  | { readonly kind: 'try-again'; readonly detail: string }
  | { readonly kind: 'unknown'; readonly detail: string }

export interface ProduceError {
  /** The protocol's name of the error. */
  readonly error: string
  /** The broker's offset of the batch's first record, negative where it has none; `undefined` where the client hides it. */
  readonly baseOffset: bigint | undefined
  readonly acks: 'all' | 'leader'
}

/** Raised before the append, whatever the acks: Kafka's ReplicaManager.appendRecords and LogValidator. */
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
const refusals = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'POLICY_VIOLATION',
  'CORRUPT_MESSAGE',
])
/** Raised before the append; a matter of time. */
const transient = new Set(['NOT_ENOUGH_REPLICAS'])
/**
 * Raised before the append, and after it too: a leader that loses its place while it waits for its followers
 * (DelayedProduce.tryComplete) answers the same way, with the base offset that it had given the batch. The new leader
 * may well have it. Only without such an offset, or where nobody waited for followers, is it surely not in the log.
 */
const leadership = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
])

export function verdictOf({ error, baseOffset, acks }: ProduceError): ProduceVerdict {
  const detail = `The broker answered ${error}.`
  if (tooLarge.has(error)) return { kind: 'refused', cause: 'too-large', detail }
  if (refusals.has(error)) return { kind: 'refused', cause: 'broker-unavailable', detail }
  if (transient.has(error)) return { kind: 'try-again', detail }
  const appendedNowhere = baseOffset === undefined ? acks === 'leader' : baseOffset < 0n
  if (leadership.has(error) && appendedNowhere) return { kind: 'try-again', detail }
  return { kind: 'unknown', detail }
}
