import { crc32c, Reader, readRecordsBatch } from '@platformatic/kafka'
import { messageOf } from '../../entity-registry/message-of.ts'
import type { FetchedBatch } from './fetch-port.ts'

/**
 * Record batches as the brokers keep them, each written into one buffer and read out of one: the client's own writer makes a dozen buffers for
 * each record, and its reader an array for each number. Format: Kafka's protocol guide, "Record Batch", version 2.
 */
export interface RecordFields {
  readonly key: Buffer | undefined
  readonly value: Buffer
  readonly headers?: readonly Header[]
}

export type Header = readonly [name: Buffer, value: Buffer]

/** Bytes of a batch before its records. */
const HEAD_BYTES = 61
/** Bytes of a batch that its own length leaves out. */
const LENGTH_ENDS = 12
const VERSION = 2
/** Bits of a batch's attributes. */
const COMPRESSION = 0b111
/** Four numbers of at most 5 bytes each, and three fields of one byte. */
const MAX_RECORD_OVERHEAD_BYTES = 23
const MAX_NUMBER_BYTES = 5

/** Not compressed, without a producer's id and sequence, made now. */
export function writeBatch(records: readonly RecordFields[]): Buffer {
  let bytes = HEAD_BYTES
  for (const record of records) bytes += maxBytesOf(record)
  const batch = Buffer.allocUnsafe(bytes)
  let at = HEAD_BYTES
  for (const [offset, record] of records.entries()) at = writeRecord(batch, at, offset, record)
  const nowMs = BigInt(Date.now())
  batch.writeBigInt64BE(0n, 0) // base offset
  batch.writeInt32BE(at - LENGTH_ENDS, 8)
  batch.writeInt32BE(0, 12) // partition leader epoch
  batch.writeInt8(VERSION, 16)
  batch.writeInt16BE(0, 21) // attributes: not compressed, create time
  batch.writeInt32BE(records.length - 1, 23) // last offset delta
  batch.writeBigInt64BE(nowMs, 27)
  batch.writeBigInt64BE(nowMs, 35)
  batch.writeBigInt64BE(-1n, 43) // no producer id
  batch.writeInt16BE(-1, 51) // nor epoch
  batch.writeInt32BE(-1, 53) // nor sequence
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(21, at)), 17)
  return batch.subarray(0, at)
}

function maxBytesOf({ key, value, headers }: RecordFields): number {
  const bytes = (key?.length ?? 0) + value.length + MAX_RECORD_OVERHEAD_BYTES
  return headers === undefined ? bytes : bytes + MAX_NUMBER_BYTES + headersBytes(headers)
}

function headersBytes(headers: readonly Header[]): number {
  let bytes = 0
  for (const [name, value] of headers) {
    bytes += numberBytes(name.length) + name.length + numberBytes(value.length) + value.length
  }
  return bytes
}

function writeRecord(batch: Buffer, start: number, offset: number, { key, value, headers = [] }: RecordFields): number {
  // The length of no key, -1, takes one byte, as attributes and the timestamp's delta do.
  const keyBytes = key === undefined ? 1 : numberBytes(key.length) + key.length
  const valueBytes = numberBytes(value.length) + value.length
  const headerBytes = numberBytes(headers.length) + headersBytes(headers)
  let at = writeNumber(batch, start, 2 + numberBytes(offset) + keyBytes + valueBytes + headerBytes)
  batch[at++] = 0 // attributes
  batch[at++] = 0 // timestamp delta
  at = writeNumber(batch, at, offset)
  if (key === undefined)
    batch[at++] = 1 // -1 in zigzag
  else at = writeBytes(batch, at, key)
  at = writeBytes(batch, at, value)
  at = writeNumber(batch, at, headers.length)
  for (const [name, content] of headers) at = writeBytes(batch, writeBytes(batch, at, name), content)
  return at
}

function writeBytes(batch: Buffer, start: number, bytes: Buffer): number {
  const at = writeNumber(batch, start, bytes.length)
  batch.set(bytes, at)
  return at + bytes.length
}

/** Zigzag in groups of 7 bits, for what is never negative. */
function writeNumber(batch: Buffer, start: number, value: number): number {
  let at = start
  let rest = value * 2
  while (rest > 0x7f) {
    batch[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  batch[at++] = rest
  return at
}

function numberBytes(value: number): number {
  let bytes = 1
  for (let rest = value * 2; rest > 0x7f; rest >>>= 7) bytes++
  return bytes
}

/**
 * The whole batches among these bytes: a broker cuts the last one off where its limit is.
 * @throws Error where not even how far a batch reaches can be told
 */
export function readBatches(bytes: Buffer): FetchedBatch[] {
  const batches: FetchedBatch[] = []
  let start = 0
  while (bytes.length - start >= LENGTH_ENDS) {
    const end = start + LENGTH_ENDS + bytes.readInt32BE(start + 8)
    if (end > bytes.length) break
    if (end < start + HEAD_BYTES) throw new RangeError('a batch is shorter than its head')
    batches.push(readBatch(bytes.subarray(start, end)))
    start = end
  }
  return batches
}

function readBatch(batch: Buffer): FetchedBatch {
  // The client would take an older one for one of these, and make up how far it reaches.
  if (batch[16] !== VERSION) throw new RangeError('a batch is of another version')
  const attributes = batch.readInt16BE(21)
  const head = {
    firstOffset: batch.readBigInt64BE(0),
    lastOffsetDelta: batch.readInt32BE(23),
    attributes,
    producerId: batch.readBigInt64BE(43),
  }
  try {
    const isCompressed = (attributes & COMPRESSION) !== 0
    return { ...head, records: isCompressed ? readRecordsBatch(Reader.from(batch)).records : readRecords(batch) }
  } catch (error) {
    // As it was written: its head can be believed, whatever is wrong with the rest.
    const isIntact = batch.readUInt32BE(17) === crc32c(batch.subarray(21))
    if (!isIntact) throw error
    return { ...head, records: [], unreadable: messageOf(error) }
  }
}

function readRecords(batch: Buffer): FetchedBatch['records'] {
  const cursor = new Cursor(batch, HEAD_BYTES)
  const records = []
  for (let left = batch.readInt32BE(57); left > 0; left--) {
    const end = cursor.number() + cursor.at
    cursor.skip(1) // attributes
    cursor.skipNumber() // timestamp delta
    const offsetDelta = cursor.number()
    const key = cursor.bytes()
    const value = cursor.bytes()
    // Past the headers, which are of no interest.
    cursor.skip(end - cursor.at)
    records.push({ offsetDelta, key, value })
  }
  return records
}

/** Reads on, and never past the end. */
class Cursor {
  readonly #from: Buffer
  at: number

  constructor(from: Buffer, at: number) {
    this.#from = from
    this.at = at
  }

  /** Zigzag in groups of 7 bits, of 32 bits at most. */
  number(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return (value >>> 1) ^ -(value & 1)
    }
    throw new RangeError('a number in a record has more than 32 bits')
  }

  /** One of 64 bits at most. */
  skipNumber(): void {
    while (this.#byte() >= 0x80);
  }

  bytes(): Buffer | null {
    const length = this.number()
    if (length < 0) return null
    const start = this.at
    this.skip(length)
    return this.#from.subarray(start, this.at)
  }

  skip(bytes: number): void {
    this.at += bytes
    if (bytes < 0 || this.at > this.#from.length) throw new RangeError('a record is longer than its batch')
  }

  #byte(): number {
    const byte = this.#from[this.at++]
    if (byte === undefined) throw new RangeError('a record is longer than its batch')
    return byte
  }
}
