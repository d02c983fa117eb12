import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../../routes/problem.ts'
import type { Log } from '../../runtime-adapters/contract.ts'
import type { AccessOptions } from './access-options.ts'
import { type ApiKeyCheck, createApiKeyCheck, readApiKeyFile } from './api-keys.ts'
import { createTokenVerifier, type TokenVerifier, type TokenVerifierOptions } from './bearer-token.ts'
import { type Caller, nobody } from './caller.ts'
import { headerValues } from './header-values.ts'
import { createFileKeys, createRemoteKeys, type KeySet, withoutSecrets } from './key-set.ts'
import { createProxyIdentity, type ProxyIdentity } from './proxy-identity.ts'

/** The ways by which a caller may show who he is, as OpenAPI and `WWW-Authenticate` name them. */
export type Scheme = 'bearer' | 'apiKey' | 'proxy'

export interface Authentication {
  readonly schemes: readonly Scheme[]
  /**
   * @returns `nobody` for a request without credentials; at once where nothing has to be computed or fetched
   * @throws ProblemError, also by its promise, when there are credentials and they are not good
   */
  callerOf(request: FastifyRequest): Caller | Promise<Caller>
  /** Reads the files with keys again. @throws Error when one can't be read; then those of before count on */
  reread(): void
}

/**
 * @returns `undefined` when no way is configured: everybody is the same caller
 * @throws Error when the settings do not fit together
 */
export function createAuthentication(options: AccessOptions, log: Log): Authentication | undefined {
  const tokens = tokensOf(options, log)
  const verify = tokens && createTokenVerifier(tokens)
  let checkKey = readApiKeys(options)
  const proxied = proxyIdentityOf(options)
  const schemes: readonly Scheme[] = [
    ...(verify === undefined ? [] : (['bearer'] as const)),
    ...(checkKey === undefined ? [] : (['apiKey'] as const)),
    ...(proxied === undefined ? [] : (['proxy'] as const)),
  ]
  if (schemes.length === 0) return undefined
  return {
    schemes,
    callerOf: (request) => credentialsOf(request, { verify, checkKey }) ?? proxied?.(request.raw) ?? nobody,
    reread() {
      const nextCheck = readApiKeys(options)
      tokens?.keys.reread?.()
      checkKey = nextCheck
    },
  }
}

function readApiKeys({ apiKeys, apiKeysFile }: AccessOptions): ApiKeyCheck | undefined {
  if (apiKeys !== undefined && apiKeysFile !== undefined) {
    throw new Error('GATEWAY_API_KEYS and GATEWAY_API_KEYS_FILE exclude each other.')
  }
  if (apiKeysFile !== undefined) return readApiKeyFile(apiKeysFile)
  return apiKeys === undefined ? undefined : createApiKeyCheck(apiKeys)
}

function tokensOf({ jwt }: AccessOptions, log: Log): TokenVerifierOptions | undefined {
  const { jwksUrl, jwksFile, issuer, audience } = jwt
  if (jwksUrl === undefined && jwksFile === undefined) {
    if (issuer !== undefined || audience.length > 0) {
      throw new Error('GATEWAY_JWT_ISSUER and GATEWAY_JWT_AUDIENCE need keys: GATEWAY_JWKS_URL or GATEWAY_JWKS_FILE.')
    }
    return undefined
  }
  if (jwksUrl !== undefined && jwksFile !== undefined) {
    throw new Error('GATEWAY_JWKS_URL and GATEWAY_JWKS_FILE exclude each other.')
  }
  if (issuer === undefined || audience.length === 0) {
    throw new Error('Bearer tokens need GATEWAY_JWT_ISSUER and GATEWAY_JWT_AUDIENCE: tokens for others are not for us.')
  }
  const keys: KeySet =
    jwksFile === undefined
      ? createRemoteKeys({
          url: checkedUrl(jwksUrl ?? '', log),
          ...{ timeoutMs: jwt.jwksTimeoutMs, cooldownMs: jwt.jwksCooldownMs, maxAgeMs: jwt.jwksMaxAgeMs, log },
        })
      : createFileKeys(jwksFile)
  return { jwt, issuer, keys }
}

function checkedUrl(text: string, log: Log): string {
  if (!URL.canParse(text)) throw new Error('GATEWAY_JWKS_URL is no URL.')
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') throw new Error('GATEWAY_JWKS_URL must have no user and no password in it.')
  const isLocal = hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'
  if (protocol === 'http:' && !isLocal) {
    log.warn(
      { url: withoutSecrets(text) },
      'the issuer’s keys come over plain HTTP: who can change them on the way can be anybody',
    )
  }
  return text
}

function proxyIdentityOf({ proxy }: AccessOptions): ProxyIdentity | undefined {
  const { identityHeader, trusted, scopesHeader } = proxy
  if (identityHeader === undefined) {
    if (trusted.length > 0 || scopesHeader !== undefined) {
      throw new Error('GATEWAY_TRUSTED_PROXIES and GATEWAY_PROXY_SCOPES_HEADER need GATEWAY_PROXY_IDENTITY_HEADER.')
    }
    return undefined
  }
  if (trusted.length === 0) {
    throw new Error('GATEWAY_PROXY_IDENTITY_HEADER needs GATEWAY_TRUSTED_PROXIES: anybody can send a header.')
  }
  return createProxyIdentity(proxy, identityHeader)
}

interface Checks {
  readonly verify: TokenVerifier | undefined
  readonly checkKey: ApiKeyCheck | undefined
}

/** What the caller himself shows: `Authorization: Bearer`, `Authorization: ApiKey`, or `X-Api-Key`. */
function credentialsOf(
  { headers, raw }: FastifyRequest,
  { verify, checkKey }: Checks,
): Caller | Promise<Caller> | undefined {
  const { authorization } = headers
  const apiKey = headers['x-api-key']
  if (authorization === undefined && apiKey === undefined) return undefined
  // Node keeps the first of several `Authorization`, and a proxy may have looked at the last.
  const keys = headerValues(raw, 'x-api-key')
  if (headerValues(raw, 'authorization').length + keys.length !== 1) {
    throw new ProblemError('bad_request', { detail: 'The request has more than one credential.' })
  }
  if (apiKey !== undefined) return checkKey === undefined ? notTaken() : checkKey(keys[0] ?? '')
  const [, scheme = '', credentials = ''] = /^([A-Za-z]+) +(\S+)$/.exec(authorization ?? '') ?? []
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return verify === undefined ? notTaken() : verify(credentials)
    case 'apikey':
      return checkKey === undefined ? notTaken() : checkKey(credentials)
  }
  return notTaken()
}

function notTaken(): never {
  throw new ProblemError('invalid_credentials', { detail: 'Credentials of this kind are not taken here.' })
}
