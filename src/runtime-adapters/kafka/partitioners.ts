import { crc32 } from 'node:zlib'
import type { KafkaOptions } from './options.ts'

/**
 * The partition of a record that names none: murmur2 of the key, sign bit cleared, modulo the partition count, as the
 * Java client does it (org.apache.kafka.common.utils.Utils). One function for every transport, because the clients' own
 * defaults differ: @platformatic/kafka 2.12 keeps the hash unsigned, which puts half of all keys elsewhere.
 */
export function partitionOfKey(key: Buffer, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

const seed = 0x9747b28c
const multiplier = 0x5bd1e995

function murmur2(data: Buffer): number {
  const whole = data.length & ~3
  let hash = seed ^ data.length
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(data.readInt32LE(at), multiplier)
    word = Math.imul(word ^ (word >>> 24), multiplier)
    hash = Math.imul(hash, multiplier) ^ word
  }
  if (whole < data.length) {
    hash = Math.imul(hash ^ data.readUIntLE(whole, data.length - whole), multiplier)
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier)
  return hash ^ (hash >>> 15)
}

/** How a runtime's producer chooses the partition of a reply by its key. */
export type ReplyPartitioner = KafkaOptions['replyPartitioner']

/**
 * `crc32` is what librdkafka does with a key by default
 * (rdkafka_msg.c, `rd_kafka_msg_partitioner_consistent_random`): zlib's CRC-32, modulo the partition count.
 */
export const partitioners: Readonly<Record<ReplyPartitioner, (key: Buffer, partitions: number) => number>> = {
  murmur2: partitionOfKey,
  crc32: (key, partitions) => crc32(key) % partitions,
}
