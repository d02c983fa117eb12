import { randomUUID } from 'node:crypto'
import { Consumer, Producer } from '@platformatic/kafka'
import type { ReceivedRecord } from '../../src/runtime-adapters/kafka/transport.ts'

const empty = Buffer.alloc(0)

/** All that stands in a topic, oldest first within each partition: what a test compares claims with. */
export async function readLog(brokers: readonly string[], topic: string): Promise<ReceivedRecord[]> {
  const consumer = new Consumer({
    clientId: 'test-log',
    groupId: `test-log-${randomUUID()}`,
    bootstrapBrokers: [...brokers],
  })
  try {
    const ends = (await consumer.listOffsets({ topics: [topic], isolationLevel: 0 })).get(topic) ?? []
    const wanted = ends.reduce((sum, end) => sum + end, 0n)
    if (wanted === 0n) return []
    const offsets = ends.map((_, partition) => ({ topic, partition, offset: 0n }))
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'manual',
      offsets,
      autocommit: false,
      maxWaitTime: 100,
    })
    const records: ReceivedRecord[] = []
    const missing = ends.map((end) => end)
    for await (const { partition, offset, key, value } of stream) {
      records.push({ topic, partition, offset, key: key ?? empty, value: value ?? empty })
      missing[partition] = (ends[partition] ?? 0n) - offset - 1n
      if (missing.every((left) => left <= 0n)) break
    }
    return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset))
  } finally {
    await consumer.close(true)
  }
}

/** Writes as a runtime would, with nothing of ours between. `value: undefined` is a tombstone. */
export async function writeRecord(
  brokers: readonly string[],
  { topic, key, value, partition }: { topic: string; key?: Buffer; value?: Buffer; partition?: number },
): Promise<void> {
  const producer = new Producer({ clientId: 'test-writer', bootstrapBrokers: [...brokers] })
  try {
    // The client's types have no tombstone, its wire format does.
    const message = { topic, key, value, partition } as { topic: string; value: Buffer }
    await producer.send({ messages: [message], acks: -1 })
  } finally {
    await producer.close()
  }
}
