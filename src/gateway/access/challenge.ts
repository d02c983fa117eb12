import { ProblemError } from '../../routes/problem.ts'
import type { Scheme } from './authentication.ts'

const REALM = 'realm="stateflow-gateway"'

/** RFC 9110, section 11.6.1: a 401 says by what one may show who one is. A proxy's word has no scheme, so it gets a name. */
const schemeNames: Readonly<Record<Scheme, string>> = { bearer: 'Bearer', apiKey: 'ApiKey', proxy: 'ProxyIdentity' }

/** The same problem with `WWW-Authenticate`, where it is about credentials. RFC 6750, section 3, has the words. */
export function challenged(problem: ProblemError, schemes: readonly Scheme[], scopes: readonly string[]): ProblemError {
  const error = errorOf(problem, scopes)
  const names = schemes.map((scheme) => schemeNames[scheme])
  if (error === undefined || names.length === 0) return problem
  const scope = error === 'insufficient_scope' ? `, scope="${scopes.join(' ')}"` : ''
  const value = names
    .map((name) =>
      name === 'Bearer' && error !== '' ? `Bearer ${REALM}, error="${error}"${scope}` : `${name} ${REALM}`,
    )
    .join(', ')
  const headers = { ...problem.fields.headers, 'www-authenticate': value }
  return new ProblemError(problem.code, { ...problem.fields, headers })
}

/** `''`: a challenge without an error, since nothing was shown; `undefined`: no challenge. */
function errorOf({ code }: ProblemError, scopes: readonly string[]): string | undefined {
  if (code === 'unauthenticated') return ''
  if (code === 'invalid_credentials') return 'invalid_token'
  if (code === 'forbidden' && scopes.length > 0) return 'insufficient_scope'
  return undefined
}
