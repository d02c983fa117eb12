/** A JSON object whose members are not known yet; `undefined`: the value is none. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  // The line above has just looked.
  return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined
}
