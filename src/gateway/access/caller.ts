/** Who calls, as far as he has shown it. */
export interface Caller {
  readonly kind: 'nobody' | 'jwt' | 'key' | 'proxy'
  /** Stable, and never the same for callers of two kinds: `jwt:ISSUER|SUBJECT`, `key:ID`, `proxy:NAME`; `''` for nobody. */
  readonly principal: string
  /** What `owner: true` compares with a key; `undefined`: owns nothing, as programs with an API key do not. */
  readonly subject: string | undefined
  readonly scopes: ReadonlySet<string>
  /** Of a token that was verified; empty for other kinds. */
  readonly claims: Readonly<Record<string, unknown>>
  /** When his token ends, the skew of clocks allowed for; others do not end by themselves. */
  readonly expiresAtMs?: number
}

export const nobody: Caller = Object.freeze({
  kind: 'nobody',
  principal: '',
  subject: undefined,
  scopes: new Set<string>(),
  claims: Object.freeze({}),
})

const MAX_NAME_LENGTH = 512

/** Names stand in logs and records, so they are short and have no control characters; and they are what they look like. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= MAX_NAME_LENGTH &&
    value.isWellFormed() &&
    !/\p{Cc}|\p{Zl}|\p{Zp}/u.test(value)
  )
}

/** RFC 6749, section 3.3: scopes are separated by spaces. Some issuers write a list. Anything else grants nothing. */
export function scopesOf(value: unknown): ReadonlySet<string> {
  if (typeof value === 'string') return new Set(value.split(' ').filter((scope) => scope !== ''))
  if (!Array.isArray(value)) return new Set()
  return new Set(value.filter((scope): scope is string => typeof scope === 'string' && scope !== ''))
}
