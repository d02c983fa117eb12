import { randomUUID } from 'node:crypto'

/** A name that no other test uses, nor an earlier try of the same one: what that has left must not fail the next. */
export function unique(name: string): string {
  return `${name}-${randomUUID().slice(0, 8)}`
}
