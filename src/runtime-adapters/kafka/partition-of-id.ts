import { crc32 } from 'node:zlib'
import { partitionOfKey } from './partition-of-key.ts'

/** How a runtime's producer chooses the partition of a reply by its key. */
export type ReplyPartitioner = 'murmur2' | 'crc32'

/**
 * `crc32` is what librdkafka does with a key by default (rdkafka_msg.c, `rd_kafka_msg_partitioner_consistent_random`): zlib's CRC-32,
 * modulo the partition count.
 */
export const partitioners: Readonly<Record<ReplyPartitioner, (key: Buffer, partitions: number) => number>> = {
  murmur2: partitionOfKey,
  crc32: (key, partitions) => crc32(key) % partitions,
}
