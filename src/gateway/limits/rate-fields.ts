import type { Quota } from './quota.ts'
import type { Count } from './rate-store.ts'

/** A quota as it stands for one caller or entity. */
export interface Standing {
  readonly quota: Quota
  readonly count: Count
  /** 12 bytes in base64, of a hash: whose quota it is, for who can compare two answers, and for nobody else. */
  readonly partition: string
}

export function isOver({ quota, count }: Standing): boolean {
  return count.calls > quota.calls
}

/** Whole seconds, never fewer than there are. */
export function secondsLeft({ count }: Standing): number {
  return Math.ceil(count.leftMs / 1_000)
}

/** `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10), structured fields of RFC 9651. */
export function rateFields(standings: readonly Standing[]): Readonly<Record<string, string>> {
  if (standings.length === 0) return {}
  const policies = standings.map(
    ({ quota: { policy, calls, windowSeconds }, partition }) =>
      `"${policy}";q=${calls};w=${windowSeconds};pk=:${partition}:`,
  )
  const limits = standings.map((standing) => {
    const { quota, count, partition } = standing
    const left = Math.max(0, quota.calls - count.calls)
    return `"${quota.policy}";r=${left};t=${secondsLeft(standing)};pk=:${partition}:`
  })
  return { 'ratelimit-policy': policies.join(', '), ratelimit: limits.join(', ') }
}
