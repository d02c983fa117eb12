import { notSent } from './not-sent.ts'
import { partitionOfKey } from './partitioners.ts'
import type { KafkaRecord, SendResult } from './transport.ts'

export interface PlaceOptions {
  readonly maxRecordBytes: number
  /** `undefined`: the topic is not known. */
  readonly partitionsOf: (topic: string) => number | undefined
}

/** The partition that a record goes to, or why it must not be produced. */
export function placeOf(record: KafkaRecord, { maxRecordBytes, partitionsOf }: PlaceOptions): number | SendResult {
  const refusal = refusalOf(record, maxRecordBytes)
  if (refusal !== undefined) return refusal
  const { topic, key, partition } = record
  const count = partitionsOf(topic)
  if (count === undefined) return notSent('broker-unavailable', `The topic ${topic} is not known.`)
  if (partition === undefined) return partitionOfKey(key, count)
  const isThere = Number.isInteger(partition) && partition >= 0 && partition < count
  return isThere ? partition : notSent('broker-unavailable', `The topic ${topic} has no partition ${partition}.`)
}

/** A record without key or value can kill a runtime. */
function refusalOf({ topic, key, value }: KafkaRecord, maxRecordBytes: number): SendResult | undefined {
  if (key.length === 0 || value.length === 0) {
    const part = key.length === 0 ? 'key' : 'value'
    return notSent('broker-unavailable', `A record for ${topic} has an empty ${part}; it is never produced.`)
  }
  if (value.length + key.length > maxRecordBytes) {
    return notSent('too-large', `The request has ${value.length + key.length} bytes; ${topic} takes ${maxRecordBytes}.`)
  }
  return undefined
}
