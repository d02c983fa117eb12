import { errors, type JWTPayload, type JWTVerifyResult, jwtVerify } from 'jose'
import { ProblemError } from '../../routes/problem.ts'
import type { JwtOptions } from './access-options.ts'
import { type Caller, isName, scopesOf } from './caller.ts'
import { type KeySet, KeysUnavailable } from './key-set.ts'
import { createVerifiedTokens } from './verified-tokens.ts'

/** At once for a token that was seen before. */
export type TokenVerifier = (token: string) => Caller | Promise<Caller>

const MAX_TOKEN_LENGTH = 8_192
const MAX_VERIFIED_TOKENS = 10_000
/** RFC 7519, section 3: three parts of base64url. */
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

export interface TokenVerifierOptions {
  readonly jwt: JwtOptions
  readonly issuer: string
  readonly keys: KeySet
}

/** A JSON Web Token as the issuer's word on who calls. */
export function createTokenVerifier({ jwt, issuer, keys }: TokenVerifierOptions): TokenVerifier {
  const verified = createVerifiedTokens(MAX_VERIFIED_TOKENS)
  let edition = keys.edition
  const options = {
    issuer,
    audience: [...jwt.audience],
    algorithms: [...jwt.algorithms],
    clockTolerance: jwt.clockSkewMs / 1_000,
    requiredClaims: ['exp', jwt.principalClaim],
    ...(jwt.type === undefined ? {} : { typ: jwt.type }),
  }

  async function verifyBy(token: string): Promise<JWTVerifyResult> {
    try {
      return await jwtVerify(token, keys.keyFor, options)
    } catch (error) {
      // The token names no key, and several have no name.
      if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyByAny(token, error)
      throw error
    }
  }

  async function verifyByAny(token: string, several: errors.JWKSMultipleMatchingKeys): Promise<JWTVerifyResult> {
    for await (const key of several) {
      try {
        return await jwtVerify(token, key, options)
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }

  async function verify(token: string): Promise<Caller> {
    const begunWith = keys.edition
    try {
      const { payload } = await verifyBy(token)
      const expiresAtMs = (payload.exp ?? 0) * 1_000 + jwt.clockSkewMs
      const caller = { ...callerOf(payload, { jwt, issuer }), expiresAtMs }
      // Checked by a key that went meanwhile: this once, and not for the next time.
      if (keys.edition === begunWith) verified.set(token, caller, Math.min(expiresAtMs, Date.now() + jwt.jwksMaxAgeMs))
      return caller
    } catch (error) {
      throw refusalOf(error)
    }
  }

  return (token) => {
    if (token.length > MAX_TOKEN_LENGTH) throw invalid(`The token is over ${MAX_TOKEN_LENGTH} characters.`)
    if (keys.edition !== edition) verified.clear()
    edition = keys.edition
    const caller = verified.get(token, Date.now())
    if (caller !== undefined) return caller
    if (!COMPACT.test(token)) throw invalid('The token is no signed JWT.')
    return verify(token)
  }
}

function callerOf(claims: JWTPayload, { jwt, issuer }: Omit<TokenVerifierOptions, 'keys'>): Caller {
  const subject = claims[jwt.principalClaim]
  if (!isName(subject)) throw invalid(`The token’s "${jwt.principalClaim}" names nobody.`)
  // The issuer is always the configured one, which has no "|" in it: no two subjects have one principal.
  const principal = `jwt:${issuer}|${subject}`
  return { kind: 'jwt', principal, subject, scopes: scopesOf(claims[jwt.scopesClaim]), claims }
}

/** What is wrong with a token, in words that give nothing away but what its owner can read in it himself. */
function refusalOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof KeysUnavailable) {
    return new ProblemError('keys_unavailable', {
      detail: 'The issuer’s keys can’t be fetched, so no new token can be checked.',
    })
  }
  if (error instanceof errors.JWTExpired) return invalid('The token has expired.')
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalid(`The token’s "${error.claim}" is not accepted here.`)
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid('The token’s algorithm is not accepted here.')
  if (error instanceof errors.JWKSNoMatchingKey) return invalid('The token is signed by no known key.')
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid('The token’s signature is wrong.')
  return invalid('The token is no signed JWT that can be checked.')
}

function invalid(detail: string): ProblemError {
  return new ProblemError('invalid_credentials', { detail })
}
