import { CompressionAlgorithms, crc32c, createRecordsBatch, Reader, readRecordsBatches } from '@platformatic/kafka'
import { describe, expect, it } from 'vitest'
import { type RecordFields, readBatches, writeBatch } from '../../../src/runtime-adapters/kafka/platformatic-batches.ts'

const bytes = (text: string) => Buffer.from(text)

const records: readonly RecordFields[] = [
  { key: bytes('alice'), value: bytes('{"amount":1}') },
  { key: undefined, value: bytes('no key') },
  { key: bytes(''), value: bytes('') },
  { key: bytes('é'), value: bytes('x'.repeat(70_000)) },
  // Twice that has seven bits set where a number's first byte ends.
  { key: bytes('c'), value: bytes('y'.repeat(8_128)) },
  { key: bytes('k'.repeat(64)), value: bytes('v'.repeat(63)), headers: [[bytes('traceparent'), bytes('00-ab-cd-01')]] },
  {
    key: bytes('b'),
    value: bytes('w'),
    headers: Array.from({ length: 70 }, (_, index) => [bytes(`h${index}`), bytes('')]),
  },
]

/** Enough of them for offsets of more than one byte. */
const many = [...records, ...Array.from({ length: 100 }, () => records.slice(0, 3)).flat()]

const messages = many.map(({ key, value, headers }) => ({
  ...{ topic: 'any', value },
  ...(key === undefined ? {} : { key }),
  ...(headers === undefined ? {} : { headers: new Map(headers) }),
}))

/** As the client itself reads and writes. */
const readByClient = (batch: Buffer) => readRecordsBatches(Reader.from(batch))

describe('a batch that is written', () => {
  it('is read by the client as what it holds', () => {
    const [batch, ...more] = readByClient(writeBatch(many))
    expect(more).toEqual([])
    expect(batch).toMatchObject({ firstOffset: 0n, lastOffsetDelta: many.length - 1, magic: 2, attributes: 0 })
    expect(batch).toMatchObject({ producerId: -1n, producerEpoch: -1, firstSequence: -1 })
    const read = batch?.records.map(({ key, value, headers, offsetDelta }) => ({ key, value, headers, offsetDelta }))
    expect(read).toEqual(
      many.map(({ key = null, value, headers = [] }, offsetDelta) => ({ key, value, headers, offsetDelta })),
    )
  })

  it.each(records.map((_, index) => index))('has room for each record alone: %d', (index) => {
    const { key = null, value } = records[index] ?? {}
    const [batch] = readByClient(writeBatch(records.slice(index, index + 1)))
    expect(batch?.records).toMatchObject([{ key, value }])
  })

  it('is made now, and has the length and the checksum that the client would give it', () => {
    const before = Date.now()
    const ours = writeBatch(many)
    const [read] = readByClient(ours)
    expect(Number(read?.firstTimestamp)).toBeGreaterThanOrEqual(before)
    expect(Number(read?.firstTimestamp)).toBeLessThanOrEqual(Date.now())
    const timestamp = read?.firstTimestamp ?? 0n
    const theirs = createRecordsBatch(
      messages.map((message) => ({ ...message, timestamp })),
      { producerEpoch: -1 },
    ).buffer
    // They say a sequence of 0 where there is none.
    theirs.writeInt32BE(-1, 53)
    const checked = (batch: Buffer) => Buffer.concat([batch.subarray(0, 17), batch.subarray(21)])
    expect(checked(ours).equals(checked(theirs))).toBe(true)
    expect(ours.readUInt32BE(17)).toBe(crc32c(ours.subarray(21)))
  })
})

describe('batches that are read', () => {
  const batch = createRecordsBatch(messages, { producerId: 7n }).buffer

  it('are what the client reads, one after the other', () => {
    const second = createRecordsBatch(messages.slice(0, 3)).buffer
    second.writeBigInt64BE(9_000_000_000n, 0)
    const both = Buffer.concat([batch, second])
    const theirs = readByClient(both).map(({ firstOffset, lastOffsetDelta, attributes, producerId, records: all }) => ({
      ...{ firstOffset, lastOffsetDelta, attributes, producerId },
      records: all.map(({ offsetDelta, key, value }) => ({ offsetDelta, key, value })),
    }))
    expect(theirs).toHaveLength(2)
    expect(readBatches(both)).toEqual(theirs)
  })

  it.each(Object.values(CompressionAlgorithms).filter((name) => name !== 'none'))('may be compressed by %s', (name) => {
    const compressed = createRecordsBatch(messages, { compression: name }).buffer
    expect(compressed.length).toBeLessThan(batch.length)
    expect(readBatches(compressed)[0]?.records).toMatchObject(
      many.map(({ key = null, value }, offsetDelta) => ({ key, value, offsetDelta })),
    )
  })

  it('are whole ones: what a broker cut off at its limit comes with the next fetch', () => {
    for (const cut of [1, 11, 12, 60, 61, batch.length - 1]) {
      expect(readBatches(Buffer.concat([batch, batch.subarray(0, cut)]))).toHaveLength(1)
    }
    expect(readBatches(Buffer.alloc(0))).toEqual([])
  })

  it('may be empty, where compaction has left nothing but their place', () => {
    const empty = Buffer.from(batch.subarray(0, 61))
    empty.writeInt32BE(49, 8)
    empty.writeInt32BE(0, 57)
    const place = { firstOffset: 0n, lastOffsetDelta: many.length - 1, records: [] }
    expect(readBatches(Buffer.concat([empty, batch]))).toMatchObject([place, { records: { length: many.length } }])
  })

  it('may be of records that were made months apart', () => {
    const apart = messages.slice(0, 3).map((message, at) => ({ ...message, timestamp: BigInt(at) * 10_000_000_000n }))
    const values = readBatches(createRecordsBatch(apart).buffer)[0]?.records.map(({ value }) => value)
    expect(values).toEqual(apart.map(({ value }) => value))
  })

  /** One batch of one record, in which these bytes say how far its offset is from the first. */
  function withOffsetDelta(...number: readonly number[]): Buffer {
    const one = createRecordsBatch([{ topic: 'any', key: bytes('k'), value: bytes('v') }]).buffer
    const more = number.length - 1
    one.writeInt32BE(one.readInt32BE(8) + more, 8)
    one.writeInt8(one.readInt8(61) + 2 * more, 61)
    return Buffer.concat([one.subarray(0, 64), Buffer.from(number), one.subarray(65)])
  }

  it('may have numbers of 32 bits, and no larger ones', () => {
    const [read] = readBatches(withOffsetDelta(0xfe, 0xff, 0xff, 0xff, 0x0f))
    expect(read?.records).toEqual([{ offsetDelta: 0x7fffffff, key: bytes('k'), value: bytes('v') }])
    expect(() => readBatches(withOffsetDelta(0x82, 0x80, 0x80, 0x80, 0x80, 0x00))).toThrow(RangeError)
  })

  it('may hold deletions: records without a value', () => {
    const tombstone = createRecordsBatch([{ topic: 'any', key: bytes('k'), value: null as unknown as Buffer }]).buffer
    expect(readBatches(tombstone)[0]?.records).toEqual([{ offsetDelta: 0, key: bytes('k'), value: null }])
  })

  it.each([
    ['a record that is longer than they are', (one: Buffer) => one.writeInt8(0x7e, 61)],
    ['a record that ends one byte after them', (one: Buffer) => one.writeInt8(one.readInt8(61) + 2, 61)],
    ['the format of Kafka before 0.11', (one: Buffer) => one.writeInt8(1, 16)],
    ['more records than there are', (one: Buffer) => one.writeInt32BE(2, 57)],
    ['a number that does not end', (one: Buffer) => one.fill(0xff, 64)],
    ['a key that is longer than its record', (one: Buffer) => one.writeInt8(0x7e, 65)],
    ['a head that is cut off', (one: Buffer) => one.writeInt32BE(20, 8)],
    ['a length below nothing', (one: Buffer) => one.writeInt32BE(-100, 8)],
  ])('are refused with %s', (_, spoil) => {
    const one = createRecordsBatch([{ topic: 'any', key: bytes('k'), value: bytes('v') }]).buffer
    expect(readBatches(one)).toHaveLength(1)
    spoil(one)
    expect(() => readBatches(one)).toThrow(RangeError)
  })

  const spoilt: readonly (readonly [string, Buffer, (batch: Buffer) => void])[] = [
    ['their records are', writeBatch(records), (one) => one.writeInt8(0x7e, 61)],
    [
      'their compression is',
      createRecordsBatch(messages.slice(0, records.length), { compression: 'gzip' }).buffer,
      (one) => one.fill(0, 61),
    ],
    ['the compression is one that nobody has', writeBatch(records), (one) => one.writeInt16BE(7, 21)],
  ]

  it.each(spoilt)('keep their place where only %s wrong, and the next one is read', (_, one, spoil) => {
    one.writeBigInt64BE(40n, 0)
    spoil(one)
    const both = Buffer.concat([one, batch])
    expect(() => readBatches(both), 'not as it was written').toThrow()
    both.writeUInt32BE(crc32c(both.subarray(21, one.length)), 17)
    const [bad, good] = readBatches(both)
    expect(bad).toMatchObject({ firstOffset: 40n, lastOffsetDelta: records.length - 1, records: [] })
    expect(bad?.unreadable).toMatch(/./)
    expect(good?.records).toHaveLength(many.length)
    expect(good?.unreadable).toBeUndefined()
  })

  it('are refused with a key that reaches into the next record', () => {
    const both = createRecordsBatch(messages.slice(0, 1).concat(messages.slice(0, 1))).buffer
    expect(readBatches(both)[0]?.records).toHaveLength(2)
    both.writeInt8(both.readInt8(65) + 2 * 18, 65)
    expect(() => readBatches(both)).toThrow(RangeError)
  })

  it('never take more time or memory than their bytes allow, whatever the bytes are', () => {
    const one = createRecordsBatch(messages.slice(0, 7).map((message) => ({ ...message, value: bytes('v') }))).buffer
    for (let at = 0; at < one.length; at++) {
      for (const bit of [0, 3, 7]) {
        const spoilt = Buffer.from(one)
        spoilt[at] = (spoilt[at] ?? 0) ^ (1 << bit)
        // Compression is the client's.
        if ((spoilt.readInt16BE(21) & 7) !== 0) continue
        try {
          const count = readBatches(spoilt).reduce((sum, { records: all }) => sum + all.length, 0)
          expect(count).toBeLessThanOrEqual(one.length)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }
    }
  })
})
