import type { ReplicaShare } from '../../runtime-adapters/contract.ts'
import { nameWithShare, readName } from '../replica-share.ts'

/** What replicas tell each other by the names under which they beat: who lives, and who reads which share of the replies. */
export interface RollCall {
  /** This replica's name for the store. */
  readonly name: string
  /** @param share this replica reads it from now on */
  take(share: ReplicaShare): void
  /** @returns the replicas behind the names that the store has told just now */
  seen(names: ReadonlySet<string>): ReadonlySet<string>
  /** Shares that others read. */
  holders(): readonly ReplicaShare[]
}

/** Milliseconds that others are trusted to read their shares while the store can't be asked. */
const TRUSTED_MS = 10_000

export function createRollCall(replica: string, now: () => number = () => performance.now()): RollCall {
  let name = replica
  let held: readonly ReplicaShare[] = []
  let trustedUntil = 0
  return {
    get name() {
      return name
    },
    take(share) {
      name = nameWithShare(replica, share)
    },
    seen(names) {
      const others = [...names].map(readName).filter((each) => each.name !== replica)
      held = others.flatMap(({ share }) => share ?? [])
      trustedUntil = now() + TRUSTED_MS
      return new Set([replica, ...others.map((each) => each.name)])
    },
    holders: () => (now() < trustedUntil ? held : []),
  }
}
