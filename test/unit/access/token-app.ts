import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import { SignJWT } from 'jose'

export const ISSUER = 'http://issuer.test'

export interface IssuerKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export function newKey(kid: string): IssuerKey {
  return { kid, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) }
}

export function jwksOf(...keys: readonly IssuerKey[]): object {
  return { keys: keys.map(({ kid, publicKey }) => ({ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' })) }
}

export function tokenBy(
  { kid, privateKey }: IssuerKey,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const token = new SignJWT({ sub: 'alice', ...claims }).setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
  if (claims.exp === undefined) token.setExpirationTime('10m')
  return token.setIssuer(ISSUER).setAudience('shop').sign(privateKey)
}

export interface Issuer {
  readonly url: string
  /** Requests for its keys so far. */
  readonly asked: () => number
  /** What it answers from now on; `undefined`: 500. */
  publish(body: object | string | undefined): void
  close(): Promise<void>
}

/** An issuer on a free port. */
export async function startIssuer(first: object | string | undefined): Promise<Issuer> {
  let body = first
  let asked = 0
  const server = createServer((_request, response) => {
    asked++
    if (body === undefined) response.writeHead(500).end()
    else response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/keys`,
    asked: () => asked,
    publish(next) {
      body = next
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
