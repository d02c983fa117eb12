import { produceV11, Reader, readRecordsBatches } from '@platformatic/kafka'
import { describe, expect, it } from 'vitest'
import { quickVersion, writeProduce } from '../../../src/runtime-adapters/kafka/platformatic-produce.ts'

const known = (minVersion: number, maxVersion: number) => [
  { name: 'Fetch', minVersion: 4, maxVersion: 17 },
  { name: 'Produce', minVersion: minVersion, maxVersion },
]

describe('the version of Produce', () => {
  it('is the newest that is known here and to the brokers', () => {
    expect(quickVersion(known(3, 8), 'none')).toBe(undefined)
    expect(quickVersion(known(3, 9), 'none')).toBe(9)
    expect(quickVersion(known(3, 10), 'none')).toBe(10)
    expect(quickVersion(known(3, 13), 'none')).toBe(11)
    expect(quickVersion(known(12, 13), 'none')).toBe(undefined)
    expect(quickVersion([], 'none')).toBe(undefined)
  })

  it('is the client’s matter where batches are compressed', () => {
    expect(quickVersion(known(3, 13), 'gzip')).toBe(undefined)
  })
})

describe('a produce request', () => {
  it('is what the client would write, but for the batches', () => {
    const record = { key: Buffer.from('k'), value: Buffer.from('v') }
    const places = [
      { topic: 'users', partition: 0 },
      { topic: 'users', partition: 3 },
      { topic: 'items', partition: 1 },
    ]
    const ours = writeProduce(
      places.map((place) => ({ ...place, records: [record] })),
      { acks: -1, timeoutMs: 5_000 },
    ).buffer
    const theirs = produceV11.createRequest(
      -1,
      5_000,
      places.map((place) => ({ ...place, ...record })),
    )
    const batches: string[] = []
    const withoutBatches = (request: Buffer) => {
      const reader = Reader.from(request)
      const head = [reader.readNullableString(), reader.readInt16(), reader.readInt32()]
      const topics = reader.readArray(() => {
        const name = reader.readString()
        const partitions = reader.readArray(() => {
          const partition = reader.readInt32()
          const [batch] = readRecordsBatches(Reader.from(reader.readBytes()))
          batches.push(String(batch?.records[0]?.value))
          return partition
        })
        return { name, partitions }
      })
      reader.readTaggedFields()
      return { head, topics, left: reader.remaining }
    }
    expect(withoutBatches(ours)).toEqual(withoutBatches((theirs as { buffer: Buffer }).buffer))
    expect(withoutBatches(ours)).toEqual({
      head: [null, -1, 5_000],
      topics: [
        { name: 'users', partitions: [0, 3] },
        { name: 'items', partitions: [1] },
      ],
      left: 0,
    })
    expect(new Set(batches)).toEqual(new Set(['v']))
  })
})
