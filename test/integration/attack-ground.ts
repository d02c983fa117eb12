import { createHmac, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { SignJWT } from 'jose'
import { expect } from 'vitest'
import { newApiKey } from '../../src/gateway/access/api-keys.ts'
import { type AddingRuntime, addingMetadata, startAddingRuntime } from '../helpers/adding-runtime.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { sharedKafka } from '../helpers/shared-kafka.ts'
import { createTemporaryFolder } from '../helpers/temporary-folder.ts'

export const ISSUER = 'https://issuer.example'
export const AUDIENCE = 'shop'
export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
export const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const operatorKey = newApiKey('operator', ['gateway:manage', 'account:audit'])
export const plainKey = newApiKey('plain', [])
export const CORS_ORIGIN = 'https://app.example'

export interface TokenParts {
  readonly subject?: string
  readonly scope?: unknown
  readonly issuer?: string
  readonly audience?: string
  readonly key?: KeyObject
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Seconds from now. */
  readonly expiresIn?: number
}

/** A token as the issuer makes them, but for what the test says. */
export function tokenFor(parts: TokenParts = {}): Promise<string> {
  const { subject = 'alice', scope, expiresIn = 600, key = rsa.privateKey, header, claims } = parts
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({
    sub: subject,
    exp: now + expiresIn,
    iat: now,
    ...(scope === undefined ? {} : { scope }),
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'current', ...header })
    .setIssuer(parts.issuer ?? ISSUER)
    .setAudience(parts.audience ?? AUDIENCE)
    .sign(key)
}

/** A token of any form, signed or not by whatever the attacker has. */
export function forgedToken(header: object, payload: object, sign: (text: string) => string): string {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${sign(text)}`
}

export function hmac(secret: string | Buffer): (text: string) => string {
  return (text) => createHmac('sha256', secret).update(text).digest('base64url')
}

export function claimsOf(subject: string): Readonly<Record<string, unknown>> {
  return { iss: ISSUER, aud: AUDIENCE, sub: subject, exp: Math.floor(Date.now() / 1_000) + 600 }
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Writes bytes as they are, and reads until the gateway closes or the first answer is whole. */
export async function sendBytes(url: string, ...pieces: readonly (string | Buffer)[]): Promise<readonly Answer[]> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ''
  const timer = setTimeout(() => reject(new Error(`no answer in time: ${text}`)), 10_000)
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
    if (answersIn(text).length >= 1) setTimeout(resolve, 20)
  })
  socket.on('close', () => resolve()).on('error', () => resolve())
  for (const piece of pieces) socket.write(piece)
  await promise.finally(() => {
    clearTimeout(timer)
    socket.destroy()
  })
  return answersIn(text)
}

/** Every whole answer with a length. */
function answersIn(text: string): readonly Answer[] {
  const answers: Answer[] = []
  let rest = text
  for (;;) {
    const end = rest.indexOf('\r\n\r\n')
    const [first = '', ...lines] = rest.slice(0, Math.max(0, end)).split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1])
    if (end < 0 || Number.isNaN(status)) return answers
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const length = Number(headers['content-length'] ?? 0)
    if (rest.length < end + 4 + length) return answers
    answers.push({ status, headers, body: rest.slice(end + 4, end + 4 + length) })
    rest = rest.slice(end + 4 + length)
  }
}

export interface Ground {
  readonly gateway: RunningGateway
  readonly url: string
  /** What the runtime was rightfully asked to add: a test adds its own. */
  readonly rightful: number[]
  /** Calls `add` of an account, which is for its owner. */
  add(key: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Response>
  /** @throws when another record reached the runtime, or the gateway does not serve its rightful callers */
  expectNothingProduced(): Promise<void>
  close(): Promise<void>
}

/** A gateway over Kafka with all ways to authenticate, before a runtime that counts what it is asked. */
export async function startGround(): Promise<Ground> {
  const kafka = await sharedKafka()
  const name = randomUUID().slice(0, 8)
  const topics = { requests: `attacks-${name}-requests`, replies: `attacks-${name}-replies` }
  await kafka.createTopics({ name: topics.requests, partitions: 1 }, { name: topics.replies, partitions: 1 })
  const runtime = await startAddingRuntime(kafka.brokers, topics)
  const folder = createTemporaryFolder()
  const jwks = {
    keys: [
      { ...rsa.publicKey.export({ format: 'jwk' }), kid: 'current', alg: 'RS256', use: 'sig' },
      { ...elliptic.publicKey.export({ format: 'jwk' }), kid: 'curve', alg: 'ES256', use: 'sig' },
    ],
  }
  const gateway = await startGateway({
    GATEWAY_METADATA: folder.write('attacks.metadata.json', metadata()),
    GATEWAY_OVERRIDES: folder.write('overrides.json', {
      Account: { owner: true },
      'Account.tip': { owner: false },
      'Account.sum': { scopes: ['account:audit'], owner: false },
    }),
    GATEWAY_RUNTIME: 'stateflow',
    KAFKA_BROKERS: kafka.brokers.join(','),
    STATEFLOW_SERIALIZER: 'json',
    STATEFLOW_REQUEST_TOPIC: topics.requests,
    STATEFLOW_REPLY_TOPIC: topics.replies,
    GATEWAY_ACCESS: 'authenticated',
    GATEWAY_JWKS_FILE: folder.write('jwks.json', jwks),
    GATEWAY_JWT_ISSUER: ISSUER,
    GATEWAY_JWT_AUDIENCE: AUDIENCE,
    GATEWAY_JWT_CLOCK_SKEW_MS: '1000',
    GATEWAY_API_KEYS_FILE: folder.write('api-keys', `# of the tests\n${operatorKey.entry}\n${plainKey.entry}\n`),
    GATEWAY_PROXY_IDENTITY_HEADER: 'X-Client-Name',
    GATEWAY_TRUSTED_PROXIES: '10.9.8.0/24',
    GATEWAY_CORS_ORIGINS: CORS_ORIGIN,
    GATEWAY_MAX_HEADERS: '60',
    GATEWAY_HEADERS_TIMEOUT_MS: '400',
    GATEWAY_BODY_TIMEOUT_MS: '400',
    GATEWAY_MAX_CONNECTIONS: '200',
  })
  const { url } = gateway
  const rightful: number[] = []
  const add: Ground['add'] = (key, headers, body = '{"amount":1}') =>
    fetch(`${url}/account/${key}/add`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  return {
    ...{ gateway, url, rightful, add },
    expectNothingProduced: () => expectOnly(rightful, runtime, add),
    async close() {
      await gateway.close()
      await runtime.close()
      folder.close()
    },
  }
}

/** `tip` is for everybody who is authenticated. */
function metadata(): object {
  const [account] = addingMetadata.entities
  const [add] = account.methods
  return { ...addingMetadata, entities: [{ ...account, methods: [add, { ...add, name: 'tip' }] }] }
}

/** Records that an attack led to would be before that of the rightful call: there is one partition. */
async function expectOnly(rightful: number[], runtime: AddingRuntime, add: Ground['add']): Promise<void> {
  const answer = await add('alice', { authorization: `Bearer ${await tokenFor()}` }, '{"amount":7}')
  expect(answer.status, 'the rightful call').toBe(200)
  rightful.push(7)
  expect(runtime.added).toEqual(rightful)
}
