import { SignJWT } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createAuthentication } from '../../../src/gateway/access/authentication.ts'
import { createTokenVerifier, type TokenVerifier } from '../../../src/gateway/access/bearer-token.ts'
import { createRemoteKeys } from '../../../src/gateway/access/key-set.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import { ISSUER, type Issuer, type IssuerKey, jwksOf, newKey, startIssuer, tokenBy } from './token-app.ts'

const HOUR_MS = 3_600_000
const COOLDOWN_MS = 10_000
const { access } = readConfig({ env: { GATEWAY_JWT_AUDIENCE: 'shop' }, argv: [] }).config

let issuer: Issuer
/** Milliseconds that have passed, but for the tokens’ own times. */
let passedMs = 0
/** By which the clock was set back. */
let setBackMs = 0
let logged: unknown[] = []

const log = {
  ...{ debug() {}, info() {}, error() {} },
  warn: (members: object) => void logged.push(members),
}

async function start(first: object | undefined, path = ''): Promise<TokenVerifier> {
  issuer = await startIssuer(first)
  const [steadyNow, clockNow] = [performance.now.bind(performance), Date.now]
  vi.spyOn(performance, 'now').mockImplementation(() => steadyNow() + passedMs)
  vi.spyOn(Date, 'now').mockImplementation(() => clockNow() + passedMs - setBackMs)
  const timing = { timeoutMs: 5_000, cooldownMs: COOLDOWN_MS, maxAgeMs: 600_000 }
  const keys = createRemoteKeys({ url: `${issuer.url}${path}`, ...timing, log })
  return createTokenVerifier({ jwt: access.jwt, issuer: ISSUER, keys })
}

afterEach(async () => {
  vi.restoreAllMocks()
  passedMs = 0
  setBackMs = 0
  logged = []
  await issuer.close()
})

/** Who it is taken for, or the code of its refusal. */
async function outcomeOf(verify: TokenVerifier, key: IssuerKey, subject: string): Promise<unknown> {
  try {
    return (await verify(await tokenBy(key, { sub: subject }))).subject
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

describe('keys by URL', () => {
  it('are fetched before the first token after a day without any is checked', async () => {
    const key = newKey('one')
    const verify = await start(jwksOf(key))
    expect(await outcomeOf(verify, key, 'a')).toBe('a')
    passedMs += 25 * HOUR_MS
    expect(await outcomeOf(verify, key, 'b')).toBe('b')
  })

  it('may lack a new one for as long as the last fetch has failed', async () => {
    const [old, fresh, strange] = [newKey('old'), newKey('new'), newKey('strange')]
    const verify = await start(jwksOf(old))
    expect(await outcomeOf(verify, old, 'a')).toBe('a')
    passedMs += COOLDOWN_MS
    issuer.publish(undefined)
    for (const subject of ['b', 'c']) expect(await outcomeOf(verify, fresh, subject)).toBe('keys_unavailable')
    passedMs += COOLDOWN_MS
    issuer.publish(jwksOf(old, fresh))
    expect(await outcomeOf(verify, fresh, 'd')).toBe('d')
    expect(await outcomeOf(verify, strange, 'e')).toBe('invalid_credentials')
  })

  it('are fetched again in time when the clock is set back', async () => {
    const [old, fresh] = [newKey('old'), newKey('new')]
    const verify = await start(jwksOf(old))
    expect(await outcomeOf(verify, old, 'a')).toBe('a')
    setBackMs = HOUR_MS
    issuer.publish(jwksOf(fresh))
    passedMs += COOLDOWN_MS
    expect(await outcomeOf(verify, fresh, 'b')).toBe('b')
  })

  it('are asked for once by all tokens that come together, and once in a cooldown while they can’t be had', async () => {
    const key = newKey('one')
    const verify = await start(undefined)
    const subjects = ['a', 'b', 'c']
    const outcomes = () => Promise.all(subjects.map((subject) => outcomeOf(verify, key, subject)))
    expect(await outcomes()).toEqual(Array(3).fill('keys_unavailable'))
    issuer.publish(jwksOf(key))
    expect(await outcomes()).toEqual(Array(3).fill('keys_unavailable'))
    expect(issuer.asked()).toBe(1)
    passedMs += COOLDOWN_MS
    expect(await outcomes()).toEqual(subjects)
    expect(issuer.asked()).toBe(2)
  })

  it('are all tried for a token that names none, where several have no name', async () => {
    const keys = [newKey('one'), newKey('two')]
    const nameless = keys.map(({ publicKey }) => publicKey.export({ format: 'jwk' }))
    const verify = await start({ keys: nameless })
    const tokenOf = ({ privateKey }: IssuerKey) =>
      new SignJWT({ sub: 'alice' })
        .setProtectedHeader({ alg: 'ES256' })
        .setExpirationTime('10m')
        .setIssuer(ISSUER)
        .setAudience('shop')
        .sign(privateKey)
    for (const key of keys) expect(await verify(await tokenOf(key))).toMatchObject({ subject: 'alice' })
    await expect(verify(await tokenOf(newKey('three')))).rejects.toMatchObject({ code: 'invalid_credentials' })
  })

  it('can’t be fetched without their query being logged', async () => {
    const key = newKey('one')
    const verify = await start(undefined, '?token=hidden')
    expect(await outcomeOf(verify, key, 'a')).toBe('keys_unavailable')
    expect(logged).toMatchObject([{ url: issuer.url }])
  })

  it('are not fetched by a URL with a user or a password', async () => {
    issuer = await startIssuer(undefined)
    const env = { GATEWAY_JWT_AUDIENCE: 'shop', GATEWAY_JWT_ISSUER: ISSUER }
    for (const user of ['name@', ':hidden@', 'name:hidden@']) {
      const url = issuer.url.replace('//', `//${user}`)
      const { config } = readConfig({ env: { ...env, GATEWAY_JWKS_URL: url }, argv: [] })
      expect(() => createAuthentication(config.access, log)).toThrow(/^GATEWAY_JWKS_URL must have no user/)
    }
  })
})
