import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { newApiKey } from '../../src/gateway/access/api-keys.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'

const ISSUER = 'https://issuer.example'
const AUDIENCE = 'shop'
const SCOPES = ['gateway:manage', 'shop:stock'] as const

export interface GuardedShop {
  readonly gateway: RunningGateway
  readonly url: string
  /** For hours: a fuzzer has no way to get another one. */
  readonly token: string
  readonly apiKey: string
  /** What the token's holder is shown; the key's holder may do the same. */
  document(): Promise<ShownDocument>
  close(): Promise<void>
}

export interface ShownDocument {
  readonly paths: Readonly<Record<string, object>>
}

/** The demo on the embedded runtime, for callers who show who they are; a token and a key that may do everything. */
export async function startGuardedShop(): Promise<GuardedShop> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const folder = createTemporaryFolder()
  const operator = newApiKey('operator', [...SCOPES])
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'only', alg: 'ES256', use: 'sig' }] }
  const gateway = await startGateway({
    GATEWAY_ACCESS: 'authenticated',
    GATEWAY_OVERRIDES: folder.write('overrides.json', {
      'Item.set_stock': { scopes: ['shop:stock'] },
      'Item.quote': { public: true },
    }),
    GATEWAY_JWKS_FILE: folder.write('jwks.json', jwks),
    GATEWAY_JWT_ISSUER: ISSUER,
    GATEWAY_JWT_AUDIENCE: AUDIENCE,
    GATEWAY_API_KEYS_FILE: folder.write('api-keys', `${operator.entry}\n`),
  })
  const token = await new SignJWT({ scope: SCOPES.join(' ') })
    .setProtectedHeader({ alg: 'ES256', kid: 'only' })
    .setSubject('fuzzer')
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(privateKey)
  return {
    ...{ gateway, url: gateway.url, token, apiKey: operator.key },
    async document() {
      const answer = await fetch(`${gateway.url}/openapi.json`, { headers: { authorization: `Bearer ${token}` } })
      // Our own document, which is what is tested here.
      return (await answer.json()) as ShownDocument
    },
    async close() {
      await gateway.close()
      folder.close()
    },
  }
}
