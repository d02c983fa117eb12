/** Which replicas live, by what the store says of them. */
export interface LivingReplicas {
  /** @param names all that the store knows to live */
  seen(names: readonly string[]): ReadonlySet<string>
  /** The store was away: who is missing from it now may just not have been back yet. */
  distrust(): void
}

/** @param deadAfterMs of silence */
export function createLivingReplicas(deadAfterMs: number, now: () => number = () => performance.now()): LivingReplicas {
  let living: ReadonlySet<string> = new Set()
  let distrustedUntil = 0
  return {
    seen(names) {
      living = new Set(now() < distrustedUntil ? [...living, ...names] : names)
      return living
    },
    distrust() {
      distrustedUntil = now() + deadAfterMs
    },
  }
}
