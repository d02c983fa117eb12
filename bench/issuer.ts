import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'

/** An issuer of tokens in a nutshell: one key, and one token that outlives the run. */
export interface Issuer {
  readonly env: Readonly<Record<string, string>>
  /** Its public keys, as a JWKS document. */
  readonly keys: object
  readonly token: string
}

const ISSUER = 'https://issuer.example'
const AUDIENCE = 'shop'

export async function createIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const token = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('12h')
    .sign(privateKey)
  return {
    env: { GATEWAY_JWT_ISSUER: ISSUER, GATEWAY_JWT_AUDIENCE: AUDIENCE },
    keys: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256' }] },
    token,
  }
}
