/** So many calls in so long a time. */
export interface Quota {
  /** As callers read it in `RateLimit`. */
  readonly policy: 'caller' | 'key'
  readonly calls: number
  readonly windowSeconds: number
}

/** @param text `CALLS/SECONDS`, checked by the settings' schema; `undefined`: there is no quota */
export function parseQuota(policy: Quota['policy'], text: string | undefined): Quota | undefined {
  if (text === undefined) return undefined
  const [calls, windowSeconds] = text.split('/').map(Number)
  if (calls === undefined || windowSeconds === undefined) throw new Error(`"${text}" is no quota.`)
  return { policy, calls, windowSeconds }
}
