import type { StoredAnswer } from '../../routes/invocation-store.ts'

/** Bytes that an answer takes in memory, at most: a character takes two there. */
export function sizeOf({ body }: StoredAnswer): number {
  return 2 * body.length
}
