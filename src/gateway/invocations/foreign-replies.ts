import type { Invocation, Outcome } from '../../runtime-adapters/contract.ts'

/** A reply to another replica's call. */
export interface ForeignReply {
  readonly id: string
  /** What it holds in memory. */
  readonly bytes: number
  /** Makes sense of it for the invocation it belongs to; `undefined`: it belongs to none. */
  readonly read: (invocation: Invocation) => Outcome | undefined
  /** Milliseconds by the clock that is never set. */
  readonly arrivedAt: number
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
  /** What is held now. */
  readonly bytes: number
}

/** Beyond any of these, the oldest go. */
export interface ForeignLimits {
  readonly maxReplies: number
  readonly maxBytes: number
  readonly maxAgeMs: number
}

/** Looks at a reply without a record: after 1, 2, 4 … 32 beats, which together is longer than a caller waits. */
const MAX_MISSES = 6

export function createForeignReplies({ maxReplies, maxBytes, maxAgeMs }: ForeignLimits): ForeignReplies {
  const kept = new Map<string, ForeignReply & { readonly dueBeat: number }>()
  let heldBytes = 0
  let beats = 0

  function drop(id: string): void {
    heldBytes -= kept.get(id)?.bytes ?? 0
    kept.delete(id)
  }

  return {
    keep(reply) {
      if (reply.misses > MAX_MISSES) return
      const dueBeat = beats + (reply.misses === 0 ? 0 : 2 ** (reply.misses - 1))
      drop(reply.id)
      kept.set(reply.id, { ...reply, dueBeat })
      heldBytes += reply.bytes
      while (kept.size > maxReplies || heldBytes > maxBytes) drop(kept.keys().next().value ?? '')
    },
    takeDue(isOrphan) {
      beats++
      const bornAfter = performance.now() - maxAgeMs
      for (const { id, arrivedAt } of kept.values()) if (arrivedAt <= bornAfter) drop(id)
      const due = [...kept.values()].filter(({ id, dueBeat }) => dueBeat <= beats && isOrphan(id))
      for (const { id } of due) drop(id)
      return due
    },
    get bytes() {
      return heldBytes
    },
  }
}
