import { stringifyExact } from '../entity-registry/exact-json.ts'

/** JSON with members in one order. */
export function canonical(value: unknown, write: (scalar: unknown) => string = stringifyExact): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, write)).join(',')}]`
  if (typeof value !== 'object' || value === null) return write(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member, write)}`).join(',')}}`
}
