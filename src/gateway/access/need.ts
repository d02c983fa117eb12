import type { AccessRule, OwnerClaim } from '../../entity-registry/access-rule.ts'
import { ProblemError } from '../../routes/problem.ts'
import type { Key } from '../../runtime-adapters/contract.ts'
import type { AccessOptions } from './access-options.ts'
import type { Caller } from './caller.ts'

/** What has to be true of a caller: rules with the gateway's default filled in. */
export type Need =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'caller'; readonly scopes: readonly string[]; readonly owners: readonly OwnerClaim[] }

export type Mode = AccessOptions['mode']

export const anyone: Need = { kind: 'anyone' }
export const anyCaller: Need = { kind: 'caller', scopes: [], owners: [] }

const defaults: Readonly<Record<Mode, Need>> = { open: anyone, authenticated: anyCaller, deny: { kind: 'nobody' } }

/** All rules at once. */
export function needOf(rules: readonly AccessRule[], mode: Mode): Need {
  return rules.map((rule) => ruleNeed(rule, mode)).reduce(both, anyone)
}

function ruleNeed(rule: AccessRule, mode: Mode): Need {
  switch (rule.kind) {
    case 'default':
      return defaults[mode]
    case 'public':
      return anyone
    case 'restricted':
      return { kind: 'caller', scopes: rule.scopes, owners: rule.owners }
  }
}

function both(a: Need, b: Need): Need {
  if (a.kind === 'nobody' || b.kind === 'anyone') return a
  if (b.kind === 'nobody' || a.kind === 'anyone') return b
  return {
    kind: 'caller',
    scopes: [...new Set([...a.scopes, ...b.scopes])],
    owners: [...new Set([...a.owners, ...b.owners])],
  }
}

/**
 * Everything but ownership, which only the key decides.
 * @throws ProblemError
 */
export function checkCaller(need: Need, caller: Caller): void {
  if (need.kind === 'anyone') return
  if (caller.kind === 'nobody') {
    throw new ProblemError('unauthenticated', { detail: 'This needs credentials, and the request has none.' })
  }
  if (need.kind === 'nobody') throw new ProblemError('forbidden', { detail: 'No rule lets anybody do this.' })
  const missing = need.scopes.filter((scope) => !caller.scopes.has(scope))
  if (missing.length > 0) {
    throw new ProblemError('forbidden', { detail: `The caller lacks what this needs: ${missing.join(', ')}.` })
  }
}

/** Whether `checkCaller` lets him in. */
export function isAdmitted(need: Need, caller: Caller): boolean {
  if (need.kind !== 'caller') return need.kind === 'anyone'
  return caller.kind !== 'nobody' && need.scopes.every((scope) => caller.scopes.has(scope))
}

/** @throws ProblemError when the key is not the caller's own */
export function checkOwner(need: Need, caller: Caller, key: unknown): void {
  if (need.kind !== 'caller') return
  if (need.owners.every((claim) => isOwn(claim === true ? caller.subject : caller.claims[claim], key))) return
  throw new ProblemError('forbidden', { detail: 'The entity with this key is not the caller’s.' })
}

/**
 * Exactly the same text: no case folding, no normalisation, no trimming. A number is the integer key of the same digits, and a
 * claim beyond 2^53, which has lost digits, is none.
 */
function isOwn(claim: unknown, key: unknown): boolean {
  if (typeof key === 'string') return typeof claim === 'string' && claim === key
  if (typeof key !== 'number' && typeof key !== 'bigint') return false
  if (typeof claim === 'number') return Number.isSafeInteger(claim) && String(claim) === String(key)
  return typeof claim === 'string' && claim === String(key satisfies Key)
}
