import { Consumer } from '@platformatic/kafka'

/** Where each partition of each topic ends: what was written in between shows as a difference. */
export async function endOffsets(brokers: readonly string[], topics: readonly string[]): Promise<unknown> {
  const consumer = new Consumer({ groupId: 'unused', clientId: 'test', bootstrapBrokers: [...brokers] })
  const offsets = await consumer.listOffsets({ topics: [...topics] })
  await consumer.close()
  return [...offsets].map(([topic, partitions]) => [topic, ...partitions])
}
