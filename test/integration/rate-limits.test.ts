import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newApiKey } from '../../src/gateway/access/api-keys.ts'
import { sendBatch } from '../helpers/batch-client.ts'
import { redisUnavailable } from '../helpers/redis-binary.ts'
import { type RedisServer, startRedis } from '../helpers/redis-server.ts'
import { type RunningGateway, startGateway } from '../helpers/running-gateway.ts'
import { until } from '../helpers/until.ts'

const reason = redisUnavailable()
const alice = newApiKey('alice', [])
const bob = newApiKey('bob', [])
const keys = { GATEWAY_API_KEYS: [alice, bob].map(({ entry }) => entry).join(',') }

interface Answer {
  readonly status: number
  readonly headers: Headers
  // A JSON object, read by each test as what it expects.
  readonly body: Record<string, unknown>
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : {} }
}

function create({ url }: RunningGateway, username: string, headers: Readonly<Record<string, string>> = {}) {
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }
  return ask(`${url}/user`, { ...init, body: JSON.stringify({ username }) })
}

const as = ({ key }: { readonly key: string }) => ({ 'x-api-key': key })

describe('quotas', () => {
  const gateways: RunningGateway[] = []
  const start = async (env: Readonly<Record<string, string>>): Promise<RunningGateway> => {
    const gateway = await startGateway(env)
    gateways.push(gateway)
    return gateway
  }
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
  })

  it('let a call that is refused behind them be answered as any other', async () => {
    const gateway = await start({ GATEWAY_RATE_PER_CALLER: '2/60' })
    // Few enough characters, too many bytes.
    const refused = await create(gateway, 'é'.repeat(800))
    expect(refused.body).toMatchObject({ code: 'validation_failed', outcome: 'not_sent' })
    expect((await create(gateway, 'a')).status).toBe(201)
  })

  it('are told with each answer, and end in 429, surely unsent', async () => {
    const gateway = await start({ GATEWAY_RATE_PER_CALLER: '2/60' })
    const first = await create(gateway, 'a')
    expect(first.status).toBe(201)
    expect(first.headers.get('ratelimit-policy')).toMatch(/^"caller";q=2;w=60;pk=:[A-Za-z0-9+/]{16}:$/)
    expect(first.headers.get('ratelimit')).toMatch(/^"caller";r=1;t=60;pk=:[A-Za-z0-9+/]{16}:$/)
    // A failure is a call, too, and says so as well.
    const second = await create(gateway, 'a')
    expect([second.status, second.headers.get('ratelimit')?.slice(0, 13)]).toEqual([409, '"caller";r=0;'])
    const third = await create(gateway, 'b')
    expect(third.status).toBe(429)
    expect(third.body).toMatchObject({
      ...{ code: 'rate_limited', outcome: 'not_sent', retry: 'after', source: 'gateway' },
      'violated-policies': ['caller'],
    })
    const t = Number(/;t=(\d+)/.exec(third.headers.get('ratelimit') ?? '')?.[1])
    expect(t).toBeGreaterThan(0)
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThanOrEqual(t)
    expect((await ask(`${gateway.url}/-/livez`)).status).toBe(200)
    const page = await (await fetch(`${gateway.url}/-/metrics`)).text()
    expect(page).toContain('gateway_rate_limited_calls_total{policy="caller"} 1\n')
  })

  it('are each caller’s own, and name nobody', async () => {
    const gateway = await start({ ...keys, GATEWAY_RATE_PER_CALLER: '1/60' })
    expect((await create(gateway, 'a', as(alice))).status).toBe(201)
    const refused = await create(gateway, 'b', as(alice))
    expect(refused.status).toBe(429)
    expect((await create(gateway, 'b', as(bob))).status).toBe(201)
    // Who shows nothing has the quota of his address.
    expect((await create(gateway, 'c')).status).toBe(201)
    expect((await create(gateway, 'd')).status).toBe(429)
    const said = `${JSON.stringify(refused.body)} ${refused.headers.get('ratelimit')}`
    expect(said).not.toMatch(/alice|127\.0\.0\.1/)
  })

  it('are taken by nobody who may not call', async () => {
    const gateway = await start({ ...keys, GATEWAY_ACCESS: 'authenticated', GATEWAY_RATE_PER_KEY: '1/60' })
    for (let n = 0; n < 3; n++) expect((await create(gateway, 'a')).status).toBe(401)
    expect((await create(gateway, 'a', as(alice))).status).toBe(201)
  })

  it('of an entity hold for all callers together, and for no other entity', async () => {
    const gateway = await start({ ...keys, GATEWAY_RATE_PER_KEY: '2/60', GATEWAY_RATE_PER_CALLER: '100/60' })
    expect((await create(gateway, 'hot', as(alice))).status).toBe(201)
    expect((await ask(`${gateway.url}/user/hot`, { headers: as(bob) })).status).toBe(200)
    const refused = await ask(`${gateway.url}/user/hot`, { headers: as(alice) })
    expect([refused.status, refused.body['violated-policies']]).toEqual([429, ['key']])
    expect(refused.headers.get('ratelimit')).toMatch(/^"caller";r=98;.*, "key";r=0;/)
    expect((await create(gateway, 'cold', as(alice))).status).toBe(201)
  })

  it('of a caller that are used up take nothing from an entity’s', async () => {
    const gateway = await start({ ...keys, GATEWAY_RATE_PER_KEY: '3/60', GATEWAY_RATE_PER_CALLER: '1/60' })
    expect((await create(gateway, 'a', as(alice))).status).toBe(201)
    for (let n = 0; n < 5; n++) expect((await create(gateway, 'a', as(alice))).status).toBe(429)
    const left = (await ask(`${gateway.url}/user/a`, { headers: as(bob) })).headers.get('ratelimit')
    expect(left).toContain('"key";r=1;')
  })

  it('count each line of a batch by itself', async () => {
    const gateway = await start({ GATEWAY_RATE_PER_CALLER: '2/60' })
    const lines = ['a', 'b', 'c'].map((username) => ({
      id: username,
      entity: 'user',
      method: 'create',
      args: { username },
    }))
    const answers = await sendBatch(gateway.url, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 429])
    const refused = answers.find(({ status }) => status === 429)
    expect(refused?.problem).toMatchObject({ code: 'rate_limited', 'violated-policies': ['caller'] })
  })

  it('do not hold for custom routes, and cost nothing where there are none', async () => {
    const limited = await start({ GATEWAY_RATE_PER_CALLER: '1/60', GATEWAY_RATE_PER_KEY: '1/60' })
    await limited.create('User', { username: 'a' })
    for (let n = 0; n < 5; n++) await limited.entity('User', 'a').get()
    const free = await start({})
    expect((await create(free, 'a')).headers.get('ratelimit')).toBeNull()
  })

  it('are in the document where there are any', async () => {
    const responsesOf = async (gateway: RunningGateway) => {
      const { body } = await ask(`${gateway.url}/openapi.json`)
      const document = body as { paths: Record<string, Record<string, { responses: object }>>; components: object }
      return [Object.keys(document.paths['/user']?.post?.responses ?? {}), JSON.stringify(document.components)] as const
    }
    const [limited, limitedComponents] = await responsesOf(await start({ GATEWAY_RATE_PER_CALLER: '1/60' }))
    const [free, freeComponents] = await responsesOf(await start({}))
    expect([limited.includes('429'), free.includes('429')]).toEqual([true, false])
    const isExplained = (components: string) => components.includes('/-/problems/rate_limited')
    expect([isExplained(limitedComponents), isExplained(freeComponents)]).toEqual([true, false])
  })

  it.each(['10', '0/60', '10/0', 'many/60'])('that can’t be read stop the start: %s', async (quota) => {
    await expect(start({ GATEWAY_RATE_PER_CALLER: quota })).rejects.toThrow('GATEWAY_RATE_PER_CALLER')
  })
})

describe.skipIf(reason !== undefined)(`quotas in Redis${reason === undefined ? '' : ` [skipped: ${reason}]`}`, () => {
  let redis: RedisServer
  let replicas: readonly [RunningGateway, RunningGateway]
  beforeEach(async () => {
    redis = await startRedis()
    const env = {
      ...{ REDIS_URL: redis.url, REDIS_PREFIX: `test-${randomUUID()}`, REDIS_TIMEOUT_MS: '500' },
      ...{ GATEWAY_RATE_PER_CALLER: '10/60' },
    }
    replicas = [await startGateway(env), await startGateway(env)]
  }, 60_000)
  afterEach(async () => {
    redis?.continue()
    await Promise.all(replicas.map((gateway) => gateway.close()))
    await redis?.close()
  })

  it('are one for all replicas', async () => {
    const [a, b] = replicas
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => create(n % 2 === 0 ? a : b, `user-${n}`)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10)
  })

  it('are each replica’s own where they are not to be shared', async () => {
    const env = {
      ...{ REDIS_URL: redis.url, REDIS_PREFIX: `test-${randomUUID()}`, GATEWAY_RATE_SHARED: 'false' },
      ...{ GATEWAY_RATE_PER_CALLER: '1/60' },
    }
    const alone = [await startGateway(env), await startGateway(env)]
    try {
      for (const gateway of alone) {
        expect((await create(gateway, 'a')).headers.get('ratelimit')).toContain('r=0;')
        expect((await create(gateway, 'b')).status).toBe(429)
        const { body } = await ask(`${gateway.url}/-/readyz?verbose`)
        expect(JSON.stringify(body)).not.toContain('rate limits')
      }
    } finally {
      await Promise.all(alone.map((gateway) => gateway.close()))
    }
  })

  it('are each replica’s own while Redis is away, which is told, and nobody waits', async () => {
    const [a] = replicas
    await create(a, 'before')
    redis.stop()
    const startedAtMs = performance.now()
    const answers = []
    for (let n = 0; n < 12; n++) answers.push(await create(a, `user-${n}`))
    expect(performance.now() - startedAtMs).toBeLessThan(2_500)
    expect(answers.map(({ status }) => status)).toEqual([...Array(10).fill(201), 429, 429])
    const { body } = await ask(`${a.url}/-/readyz?verbose`)
    expect(body).toMatchObject({
      status: 'degraded',
      checks: expect.arrayContaining([expect.objectContaining({ name: 'rate limits', ok: false, essential: false })]),
    })
    const page = await (await fetch(`${a.url}/-/metrics`)).text()
    expect(page).toMatch(/gateway_rate_local_counts_total 12\n/)
    redis.continue()
    await until('it counts in Redis again', async () => {
      await create(a, randomUUID())
      return (await ask(`${a.url}/-/readyz?verbose`)).body.status === 'ready'
    })
  })
})
