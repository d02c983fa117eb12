/** The end of a partition at one moment. */
export interface EndNote {
  readonly atMs: number
  readonly offset: bigint
}

/** Milliseconds that a partition is read back when it is taken up again: longer than it takes to find out that its reader has died. */
const REREAD_MS = 60_000
/** Milliseconds between two notes. */
export const NOTE_MS = 10_000

/**
 * Adds a note to those of a partition that nobody here reads, and drops those that will not be needed.
 * @returns where its reading would begin; `undefined`: where it stopped, since that is not long ago
 */
export function noteEnd(notes: EndNote[], note: EndNote): bigint | undefined {
  notes.push(note)
  const old = notes.findLastIndex(({ atMs }) => atMs <= note.atMs - REREAD_MS)
  if (old > 0) notes.splice(0, old)
  return old === -1 ? undefined : notes[0]?.offset
}
