import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createMemoryRateStore } from '../../../src/gateway/limits/memory-rate-store.ts'
import { createRateLimits } from '../../../src/gateway/limits/rate-limits.ts'
import type { RateStore } from '../../../src/gateway/limits/rate-store.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

const [account, other] = compiledEntities(
  ...['Account', 'Other'].map((name) => ({ name, methods: [{ name: 'add', params: [] }] })),
)

interface Caller {
  readonly principal?: string
  readonly address?: string
}

/** Of a request, quotas look at who calls and from where. */
function requestOf({ principal = '', address = '192.0.2.7' }: Caller): FastifyRequest {
  return { caller: { principal }, raw: { socket: { remoteAddress: address } } } as FastifyRequest
}

function askedOf(entity: typeof account, key: string) {
  const method = entity?.methods.get('add')
  if (entity === undefined || method === undefined) throw new Error('the test’s own metadata is broken')
  return { target: { kind: 'call', entity, key, method }, args: {} } as const
}

function build(store: RateStore = createMemoryRateStore({ maxBuckets: 100, now: () => 0 })) {
  return createRateLimits({
    perCaller: { policy: 'caller', calls: 1, windowSeconds: 60 },
    perKey: { policy: 'key', calls: 3, windowSeconds: 10 },
    store,
    onRefused: () => undefined,
  })
}

const refusedFor = (policy: string) => ({ code: 'rate_limited', fields: { violatedPolicies: [policy] } })

describe('a quota', () => {
  it('of an entity is not that of another type’s with the same key', async () => {
    const admit = build()
    const ask = (principal: string, entity: typeof account) => admit(requestOf({ principal }), askedOf(entity, 'a'))
    for (const principal of ['alice', 'bob', 'carol']) await ask(principal, account)
    await expect(ask('dave', account)).rejects.toMatchObject(refusedFor('key'))
    expect((await ask('erin', other)).ratelimit).toContain('"key";r=2;')
  })

  it('is shared by who shows nothing in one IPv6 network, and by nobody in another', async () => {
    const admit = build()
    const from = (address: string) => admit(requestOf({ address }), askedOf(account, address))
    await from('2001:db8:0:1::7')
    await expect(from('2001:db8:0:1:ffff::8')).rejects.toMatchObject(refusedFor('caller'))
    await from('2001:db8:0:2::7')
  })

  it('of an address is not that of a caller who is named like it', async () => {
    const admit = build()
    await admit(requestOf({ address: '192.0.2.7' }), askedOf(account, 'a'))
    await admit(requestOf({ principal: '192.0.2.7' }), askedOf(account, 'b'))
    await admit(requestOf({ principal: 'address 192.0.2.7' }), askedOf(account, 'c'))
  })

  it('that is used up says whose it is, and for how long: never for less than it is', async () => {
    const store: RateStore = {
      count: () => ({ calls: 2, leftMs: 4_001 }),
      start: async () => undefined,
      close: () => undefined,
    }
    await expect(build(store)(requestOf({}), askedOf(account, 'a'))).rejects.toMatchObject({
      message: 'This caller has a quota of 1 calls in 60 s, and it is used up. In 5 s there is a new one.',
      fields: { headers: { 'retry-after': '5', ratelimit: expect.stringMatching(/^"caller";r=0;t=5;pk=/) } },
    })
    const perKey = createRateLimits({
      ...{ perCaller: undefined, perKey: { policy: 'key', calls: 1, windowSeconds: 10 }, store },
      onRefused: () => undefined,
    })
    await expect(perKey(requestOf({}), askedOf(account, 'a'))).rejects.toMatchObject({
      message: 'This entity has a quota of 1 calls in 10 s, and it is used up. In 5 s there is a new one.',
    })
  })
})
