/** Who may do one thing with an entity, as the operator has said; whether that is so is decided in the gateway. */
export type AccessRule =
  /** He has said nothing: the gateway's default decides. */
  | { readonly kind: 'default' }
  | { readonly kind: 'public' }
  | {
      readonly kind: 'restricted'
      /** The caller needs all of them. */
      readonly scopes: readonly string[]
      /** The key must equal each of them: a claim's name, or `true` for the caller's own name. */
      readonly owners: readonly OwnerClaim[]
    }

export type OwnerClaim = true | string

/** The members of an override that say who may. */
export interface AccessOverride {
  readonly scopes?: readonly string[]
  readonly owner?: boolean | string
  readonly public?: boolean
}

export const defaultRule: AccessRule = { kind: 'default' }

/** A member's rule: what it says itself, and of what it leaves open, what stands above it. */
export function refineRule(above: AccessRule, own: AccessOverride | undefined): AccessRule {
  const isSilent = own === undefined || (own.scopes ?? own.owner ?? own.public) === undefined
  if (isSilent) return above
  if (own.public === true) return { kind: 'public' }
  // "Not public" and "of no owner" ask for nothing: where nothing else is said, the default still decides.
  if (above.kind === 'default' && own.scopes === undefined && (own.owner ?? false) === false) return above
  const inherited = above.kind === 'restricted' ? above : { scopes: [], owners: [] }
  const owners = own.owner === undefined ? inherited.owners : own.owner === false ? [] : [own.owner]
  return { kind: 'restricted', scopes: own.scopes ?? inherited.scopes, owners }
}

/** Why an override contradicts itself; `undefined`: it does not. */
export function contradictionIn({ public: isPublic, scopes, owner }: AccessOverride): string | undefined {
  if (isPublic !== true) return undefined
  return scopes !== undefined || (owner !== undefined && owner !== false)
    ? '"public" excludes "scopes" and "owner".'
    : undefined
}
