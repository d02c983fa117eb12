import type { KafkaRecord, SendResult } from './transport.ts'

/** Why a record must not be produced; `undefined`: it may. A record without key or value can kill a runtime. */
export function refusalOf({ topic, key, value }: KafkaRecord, maxRecordBytes: number): SendResult | undefined {
  if (key.length === 0 || value.length === 0) {
    const part = key.length === 0 ? 'key' : 'value'
    return notSent(`A record for ${topic} has an empty ${part}; it is never produced.`)
  }
  if (value.length + key.length > maxRecordBytes) {
    const detail = `The request has ${value.length + key.length} bytes; ${topic} takes ${maxRecordBytes}.`
    return { kind: 'not-sent', cause: 'too-large', detail }
  }
  return undefined
}

export function notSent(detail: string): SendResult {
  return { kind: 'not-sent', cause: 'broker-unavailable', detail }
}

/** The partition that a record names, or its key's; `undefined` where the topic has none such. */
export function validPartition(partition: number, count: number): number | undefined {
  return Number.isInteger(partition) && partition >= 0 && partition < count ? partition : undefined
}
