import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTokenVerifier, type TokenVerifier } from '../../../src/gateway/access/bearer-token.ts'
import { createRemoteKeys } from '../../../src/gateway/access/key-set.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { ProblemError } from '../../../src/routes/problem.ts'
import { until } from '../../helpers/until.ts'
import { ISSUER, type Issuer, jwksOf, newKey, startIssuer, tokenBy } from './token-app.ts'

const DAY_MS = 86_400_000

const closing: (() => unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const close of closing.splice(0).reverse()) await close()
})

async function issuer(first: object): Promise<Issuer> {
  const made = await startIssuer(first)
  closing.push(() => made.close())
  return made
}

function verifierBy(url: string, timeoutMs = 5_000): TokenVerifier {
  const { access } = readConfig({ env: { GATEWAY_JWT_AUDIENCE: 'shop' }, argv: [] }).config
  const silent = () => undefined
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const keys = createRemoteKeys({ url, timeoutMs, cooldownMs: 1_000, maxAgeMs: 600_000, log })
  return createTokenVerifier({ jwt: access.jwt, issuer: ISSUER, keys })
}

/** All clocks, by so much. */
function setAhead(ms: number): void {
  vi.restoreAllMocks()
  for (const clock of [Date, performance]) {
    const now = clock.now.bind(clock)
    vi.spyOn(clock, 'now').mockImplementation(() => now() + ms)
  }
}

describe('keys that were fetched', () => {
  it('come from the configured address, and not from where that one points to', async () => {
    const key = newKey('one')
    const { url } = await issuer(jwksOf(key))
    const pointing = createServer((_request, response) => response.writeHead(302, { location: url }).end())
    await new Promise<void>((resolve) => pointing.listen(0, '127.0.0.1', resolve))
    closing.push(() => pointing.close())
    // A TCP server's address.
    const { port } = pointing.address() as AddressInfo
    const token = await tokenBy(key)
    await expect(verifierBy(`http://127.0.0.1:${port}/keys`)(token)).rejects.toMatchObject({ code: 'keys_unavailable' })
    expect(await verifierBy(url)(token)).toMatchObject({ subject: 'alice' })
  })

  it.each<[string, (response: ServerResponse) => void]>([
    ['never answers', () => undefined],
    ['never ends its answer', (response) => void response.write('{"keys":')],
  ])('are not waited for when their issuer %s', async (_what, answer) => {
    const silent = createServer((_request, response) => answer(response))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    closing.push(() => silent.close().closeAllConnections())
    // A TCP server's address.
    const { port } = silent.address() as AddressInfo
    const verify = verifierBy(`http://127.0.0.1:${port}/keys`, 100)
    await expect(verify(await tokenBy(newKey('one')))).rejects.toMatchObject({ code: 'keys_unavailable' })
  })

  it('are not taken from an answer that says it has failed', async () => {
    const key = newKey('one')
    const failing = createServer((_request, response) => response.writeHead(404).end(JSON.stringify(jwksOf(key))))
    await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve))
    closing.push(() => failing.close())
    // A TCP server's address.
    const { port } = failing.address() as AddressInfo
    const verify = verifierBy(`http://127.0.0.1:${port}/keys`)
    await expect(verify(await tokenBy(key))).rejects.toMatchObject({ code: 'keys_unavailable' })
  })

  it('are believed while their issuer is away, and not for more than a day', async () => {
    const key = newKey('one')
    const { url, publish } = await issuer(jwksOf(key))
    const verify = verifierBy(url)
    expect(await verify(await tokenBy(key, { sub: 'alice' }))).toMatchObject({ subject: 'alice' })
    publish(undefined)
    setAhead(DAY_MS - 60_000)
    expect(await verify(await tokenBy(key, { sub: 'bob' }))).toMatchObject({ subject: 'bob' })
    setAhead(DAY_MS + 60_000)
    await expect(verify(await tokenBy(key, { sub: 'carol' }))).rejects.toMatchObject({ code: 'keys_unavailable' })
  })
})

describe('a token that was taken before', () => {
  it('is taken until it ends, and not after that', async () => {
    const key = newKey('one')
    const { url } = await issuer(jwksOf(key))
    const verify = verifierBy(url)
    const token = await tokenBy(key, { exp: Math.floor(Date.now() / 1_000) + 60 })
    await verify(token)
    vi.useFakeTimers({ toFake: ['Date'] })
    closing.push(() => vi.useRealTimers())
    vi.advanceTimersByTime(50_000)
    expect(await verify(token)).toMatchObject({ subject: 'alice' })
    vi.advanceTimersByTime(60_000)
    await expect(async () => verify(token)).rejects.toMatchObject({
      fields: { detail: expect.stringContaining('expired') },
    })
  })

  it('is checked by the keys that there are now once they are to be fetched anew, though no other token came', async () => {
    const key = newKey('one')
    const { url, publish } = await issuer(jwksOf(key))
    const verify = verifierBy(url)
    const token = await tokenBy(key, { exp: Math.floor((Date.now() + DAY_MS) / 1_000) })
    await verify(token)
    publish(jwksOf(newKey('two')))
    setAhead(610_000)
    await until('it is refused', async () => {
      const code = await Promise.resolve(verify(token)).catch((error: unknown) => error)
      return code instanceof ProblemError && code.code === 'invalid_credentials'
    })
  })

  it('is not even looked at beyond 8 KiB', async () => {
    const key = newKey('one')
    const { url } = await issuer(jwksOf(key))
    const verify = verifierBy(url)
    const sized = async (padding: number) => tokenBy(key, { padding: 'x'.repeat(padding) })
    expect(await verify(await sized(5_500))).toMatchObject({ subject: 'alice' })
    await expect(async () => verify(await sized(6_500))).rejects.toThrow('over 8192 characters')
  })
})
