import type { Invocation, Outcome } from '../../runtime-adapters/contract.ts'

/** A reply to another replica's call. */
export interface ForeignReply {
  readonly id: string
  /** Makes sense of it for the invocation it belongs to. */
  readonly read: (invocation: Invocation) => Outcome
  /** How often no record was found for it. */
  readonly misses: number
}

/**
 * Replies of other replicas, kept for the case that their replica dies before it has read them, or that the record they
 * belong to is yet to be opened: a call gets one when its deadline passes.
 */
export interface ForeignReplies {
  keep(reply: ForeignReply): void
  /**
   * Takes out those to be looked at now. Called once a beat.
   * @param isOrphan whether nobody else takes care of this id
   */
  takeDue(isOrphan: (id: string) => boolean): readonly ForeignReply[]
}

/** Looks at a reply without a record: after 1, 2, 4 … 32 beats, which together is longer than a caller waits. */
const MAX_MISSES = 6

/** @param maxReplies that are kept, the latest */
export function createForeignReplies(maxReplies: number): ForeignReplies {
  const kept = new Map<string, ForeignReply & { readonly dueBeat: number }>()
  let beats = 0

  return {
    keep(reply) {
      if (reply.misses > MAX_MISSES) return
      const dueBeat = beats + (reply.misses === 0 ? 0 : 2 ** (reply.misses - 1))
      kept.set(reply.id, { ...reply, dueBeat })
      if (kept.size > maxReplies) kept.delete(kept.keys().next().value ?? '')
    },
    takeDue(isOrphan) {
      beats++
      const due = [...kept.values()].filter(({ id, dueBeat }) => dueBeat <= beats && isOrphan(id))
      for (const { id } of due) kept.delete(id)
      return due
    },
  }
}
