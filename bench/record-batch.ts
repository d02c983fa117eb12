import { crc32c, produceV11, type Reader, Writer } from '@platformatic/kafka'

/**
 * One produce request of many records: a batch in one buffer for each partition, where the client's own writer makes a list of
 * buffers for each record. Format: Kafka's protocol guide, "Record Batch", version 2.
 */
export interface ProduceOptions {
  readonly topic: string
  readonly batches: readonly PartitionRecords[]
}

export interface PartitionRecords {
  readonly partition: number
  readonly records: readonly BareRecord[]
}

export type Header = readonly [Buffer, Buffer]

export interface BareRecord {
  readonly key: Buffer | undefined
  readonly value: Buffer
  /** At most 63. */
  readonly headers?: readonly Header[]
}

const ACKS_LEADER = 1
const TIMEOUT_MS = 5_000

/** Produce, version 11. */
export function encodeProduce({ topic, batches }: ProduceOptions): Writer {
  const encoded = batches.map(({ partition, records }) => ({ partition, batch: encodeBatch(records) }))
  return Writer.create()
    .appendString(null)
    .appendInt16(ACKS_LEADER)
    .appendInt32(TIMEOUT_MS)
    .appendArray([topic], (topics, name) => {
      topics.appendString(name).appendArray(encoded, (partitions, { partition, batch }) => {
        partitions
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch)
      })
    })
    .appendTaggedFields()
}

export function readProduceErrors(
  correlationId: number,
  apiKey: number,
  apiVersion: number,
  reader: Reader,
): undefined {
  // It throws when a partition was refused; nothing else in the answer is of interest.
  produceV11.parseResponse(correlationId, apiKey, apiVersion, reader)
  return undefined
}

const HEAD_BYTES = 61
/** Three lengths and an offset of at most 5 bytes each, and three fields of one byte. */
const MAX_RECORD_OVERHEAD_BYTES = 23

function encodeBatch(records: readonly BareRecord[]): Buffer {
  const bytes = records.reduce((sum, record) => sum + maxBytesOf(record), HEAD_BYTES)
  const batch = Buffer.allocUnsafe(bytes)
  let at = HEAD_BYTES
  for (const [offset, record] of records.entries()) at = writeRecord(batch, at, { offset, ...record })
  const nowMs = BigInt(Date.now())
  batch.writeBigInt64BE(0n, 0) // base offset
  batch.writeInt32BE(at - 12, 8) // length of what follows
  batch.writeInt32BE(0, 12) // partition leader epoch
  batch.writeInt8(2, 16) // magic
  batch.writeInt16BE(0, 21) // attributes: no compression, create time
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

function maxBytesOf({ key, value, headers = [] }: BareRecord): number {
  return (key?.length ?? 0) + value.length + headersBytes(headers) + MAX_RECORD_OVERHEAD_BYTES
}

function headersBytes(headers: readonly Header[]): number {
  let bytes = 0
  for (const [name, value] of headers) {
    bytes += varintBytes(name.length) + name.length + varintBytes(value.length) + value.length
  }
  return bytes
}

interface RecordToWrite extends BareRecord {
  readonly offset: number
}

function writeRecord(batch: Buffer, start: number, record: RecordToWrite): number {
  const { offset, key, value, headers = [] } = record
  // Attributes, timestamp delta, the length of no key (-1) and the count of headers take one byte each.
  const keyBytes = key === undefined ? 1 : varintBytes(key.length) + key.length
  const length = 3 + varintBytes(offset) + keyBytes + varintBytes(value.length) + value.length + headersBytes(headers)
  let at = writeVarint(batch, start, length)
  batch[at++] = 0 // attributes
  batch[at++] = 0 // timestamp delta
  at = writeVarint(batch, at, offset)
  if (key === undefined)
    batch[at++] = 1 // -1 in zigzag
  else at = writeBytes(batch, at, key)
  at = writeBytes(batch, at, value)
  at = writeVarint(batch, at, headers.length)
  for (const [name, content] of headers) at = writeBytes(batch, writeBytes(batch, at, name), content)
  return at
}

function writeBytes(batch: Buffer, start: number, bytes: Buffer): number {
  const at = writeVarint(batch, start, bytes.length)
  return at + bytes.copy(batch, at)
}

/** Zigzag, for what is never negative. */
function writeVarint(batch: Buffer, start: number, value: number): number {
  let at = start
  let rest = value * 2
  while (rest > 0x7f) {
    batch[at++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  batch[at++] = rest
  return at
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value * 2; rest > 0x7f; rest >>>= 7) bytes++
  return bytes
}
