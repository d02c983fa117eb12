import { describe, expect, it } from 'vitest'
import { partitionOfKey } from '../../../src/runtime-adapters/kafka/partitioners.ts'

/** Hashes that Kafka's own test of `Utils.murmur2` holds. */
const javaHashes: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
]

describe('the partition of a key', () => {
  it.each(javaHashes)('of %s is where the Java client puts it', (key, hash) => {
    for (const partitions of [1, 2, 3, 7, 100, 0x7fffffff]) {
      expect(partitionOfKey(Buffer.from(key), partitions)).toBe((hash & 0x7fffffff) % partitions)
    }
  })
})
