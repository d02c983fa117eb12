const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Characters of a UUID, and so bytes of one that stands in a record. */
export const UUID_LENGTH = 36

/** The UUID that these bytes are; `undefined`: they are none. */
export function asUuid(bytes: Buffer): string | undefined {
  return bytes.length === UUID_LENGTH ? uuidAt(bytes, 0) : undefined
}

/** The UUID that stands there; `undefined`: none does. */
export function uuidAt(bytes: Buffer, start: number): string | undefined {
  const text = bytes.toString('latin1', start, start + UUID_LENGTH)
  return UUID.test(text) ? text : undefined
}
