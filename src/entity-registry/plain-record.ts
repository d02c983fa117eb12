/** A JSON object whose members are not known yet. */
export type PlainRecord = Readonly<Record<string, unknown>>

export function isRecord(value: unknown): value is PlainRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asRecord(value: unknown): PlainRecord | undefined {
  return isRecord(value) ? value : undefined
}
