import type { HttpAnswer } from '../../routes/to-http.ts'

/** Bytes that an answer takes in memory, at most: a character takes two there. */
export function sizeOf({ body }: HttpAnswer): number {
  return 2 * body.length
}
