import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { deepFreeze } from '../../src/entity-registry/deep-freeze.ts'
import type { EntityDescriptor } from '../../src/entity-registry/descriptor.ts'
import type { Capabilities, Outcome, RuntimeAdapter } from '../../src/runtime-adapters/contract.ts'
import { type Caller, createCaller, methodTarget } from './caller.ts'

/**
 * The laws of `RuntimeAdapter`, on the entities that every runtime of these tests serves: `User` and `Item` of StateFlow's
 * demo (`examples/shop/shop.ts`). What a runtime can't do, by its own `capabilities` or because its entities lack the
 * method, is skipped with the reason.
 */

export interface RuntimeUnderTest {
  /** Not started yet; the suite starts and closes it. */
  readonly adapter: RuntimeAdapter
  readonly entities: readonly EntityDescriptor[]
  /** What stands around the adapter: a broker, the runtime, a folder. */
  readonly dispose?: () => Promise<void>
}

export function describeRuntimeAdapter(name: string, make: () => Promise<RuntimeUnderTest>): void {
  describe(`${name} as a RuntimeAdapter`, () => {
    let adapter: RuntimeAdapter
    let caller: Caller
    let dispose: (() => Promise<void>) | undefined

    beforeAll(async () => {
      const made = await make()
      dispose = made.dispose
      adapter = made.adapter
      caller = createCaller({ adapter, entities: made.entities })
      await adapter.start()
    }, 120_000)

    afterAll(async () => {
      await adapter.close()
      await dispose?.()
    }, 60_000)

    /** Skips the test unless the runtime can do what it is about. */
    const needs = ({ skip }: TestContext, ...names: readonly (keyof Capabilities)[]): void => {
      const missing = names.filter((one) => adapter.capabilities[one] === false)
      skip(missing.length > 0, `the runtime has no ${missing.join(', ')}`)
    }
    const needsMethod = ({ skip }: TestContext, entity: string, method: string): void =>
      skip(!caller.has(entity, method), `the runtime's ${entity} has no ${method}`)

    const newUser = async (balance = 1): Promise<string> => {
      const username = `user-${randomUUID()}`
      expect(await caller.create('User', { username })).toEqual({ kind: 'created', key: username })
      if (balance !== 1) await caller.call('User', username, 'update_balance', { x: balance - 1 })
      return username
    }
    const newItem = async (price: number, stock: number): Promise<string> => {
      const item_name = `item-${randomUUID()}`
      expect(await caller.create('Item', { item_name, price })).toEqual({ kind: 'created', key: item_name })
      await caller.call('Item', item_name, 'set_stock', { amount: stock })
      return item_name
    }
    const balanceOf = (username: string) => caller.call('User', username, 'get_balance')

    describe('creating and finding', () => {
      it('creates an entity once and refuses the second time without touching it', async (test) => {
        needs(test, 'create')
        const alice = await newUser(5)
        expect(await caller.create('User', { username: alice })).toMatchObject({
          kind: 'rejected',
          reason: 'entity-exists',
          effect: 'none',
        })
        expect(await balanceOf(alice)).toEqual(returned(5))
      })

      it('creates an entity once when several ask at the same moment', async (test) => {
        needs(test, 'create')
        const username = `user-${randomUUID()}`
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => caller.create('User', { username })))
        expect(outcomes.filter(({ kind }) => kind === 'created')).toHaveLength(1)
        expect(outcomes.filter(({ kind }) => kind === 'rejected')).toHaveLength(7)
      })

      it('finds what exists and nothing else', async (test) => {
        needs(test, 'create', 'find')
        const alice = await newUser()
        expect((await caller.find('User', alice)).kind).toBe('returned')
        expect(await caller.find('User', `nobody-${randomUUID()}`)).toMatchObject(notFound)
        expect(await caller.find('Item', alice)).toMatchObject(notFound)
      })

      it.for([
        ['a slash', 'a/b'],
        ['spaces', ' a key '],
        ['letters of many scripts', 'ключ-鍵-مفتاح-🔑'],
        ['1 KiB', 'k'.repeat(900)],
        ['a quote and a backslash', `"\\'`],
      ])('keeps a key with %s as it is', async ([_what, key], test) => {
        needs(test, 'create')
        const username = `${key}${randomUUID()}`
        expect(await caller.create('User', { username })).toEqual({ kind: 'created', key: username })
        expect(await balanceOf(username)).toEqual(returned(1))
      })
    })

    describe('calling', () => {
      it('answers with what the method returns, and with null where it returns nothing', async () => {
        const alice = await newUser()
        expect(await caller.call('User', alice, 'update_balance', { x: 41 })).toEqual(returned(null))
        expect(await balanceOf(alice)).toEqual(returned(42))
      })

      it('says that an entity is not there', async () => {
        expect(await balanceOf(`nobody-${randomUUID()}`)).toMatchObject(notFound)
      })

      it('runs calls on one key in the order in which they were made', async () => {
        const item = await newItem(1, 0)
        const amounts = Array.from({ length: 50 }, (_, index) => index)
        // `update_stock` refuses to fall below zero, so another order would leave another stock.
        const calls = amounts.flatMap((amount) => [
          caller.call('Item', item, 'set_stock', { amount }),
          caller.call('Item', item, 'update_stock', { amount: -amount }),
        ])
        const outcomes = await Promise.all(calls)
        expect(outcomes).toEqual(amounts.flatMap(() => [returned(null), returned(true)]))
        expect(await caller.call('Item', item, 'update_stock', { amount: -1 })).toEqual(returned(false))
      })

      it('loses and doubles nothing among many calls on one key', async () => {
        const alice = await newUser(0)
        await Promise.all(Array.from({ length: 100 }, () => caller.call('User', alice, 'update_balance', { x: 1 })))
        expect(await balanceOf(alice)).toEqual(returned(100))
      })

      it('gives every caller its own answer', async () => {
        const users = await Promise.all(Array.from({ length: 40 }, (_, index) => newUser(index + 100)))
        const outcomes = await Promise.all(users.map(balanceOf))
        expect(outcomes).toEqual(users.map((_, index) => returned(index + 100)))
      })

      it('leaves the invocation as it was', async () => {
        const alice = await newUser()
        const bob = await newUser()
        const target = methodTarget(caller.entity('User'), alice, 'simple_for_loop')
        const invocation = caller.invocation(target, deepFreeze({ users: [bob] }))
        expect(await adapter.invoke(Object.freeze(invocation))).toEqual(returned(1))
        expect(invocation.args).toEqual({ users: [bob] })
      })

      it('keeps all digits of a 64-bit integer', async (test) => {
        needsMethod(test, 'User', 'add_points')
        const alice = await newUser()
        const points = 9_007_199_254_740_993n
        expect(await caller.call('User', alice, 'add_points', { points })).toEqual(returned(points))
        expect(await caller.call('User', alice, 'add_points', { points: -points })).toEqual(returned(0))
      })
    })

    describe('calls over several entities', () => {
      it('buys what can be paid for and is in stock', async () => {
        const alice = await newUser(10)
        const laptop = await newItem(3, 5)
        expect(await caller.call('User', alice, 'buy_item', { amount: 2, item: laptop })).toEqual(returned(true))
        expect(await balanceOf(alice)).toEqual(returned(4))
        expect(await caller.call('Item', laptop, 'update_stock', { amount: -4 })).toEqual(returned(false))
        expect(await caller.call('Item', laptop, 'update_stock', { amount: -3 })).toEqual(returned(true))
      })

      it.each([
        ['too dear', 4, 5],
        ['not in stock', 3, 1],
      ])('changes nothing when the item is %s', async (_what, amount, stock) => {
        const alice = await newUser(10)
        const laptop = await newItem(3, stock)
        expect(await caller.call('User', alice, 'buy_item', { amount, item: laptop })).toEqual(returned(false))
        expect(await balanceOf(alice)).toEqual(returned(10))
        expect(await caller.call('Item', laptop, 'update_stock', { amount: -stock })).toEqual(returned(true))
      })

      it('calls each entity of a list in turn', async () => {
        const [alice, bob, carol] = [await newUser(), await newUser(), await newUser()]
        expect(await caller.call('User', alice, 'simple_for_loop', { users: [bob, carol] })).toEqual(returned(2))
        expect(await balanceOf(bob)).toEqual(returned(5))
        expect(await balanceOf(carol)).toEqual(returned(10))
      })

      it('sees within a call what the call has written', async () => {
        const alice = await newUser()
        const items = [await newItem(1, 0), await newItem(1, 0)]
        expect(await caller.call('User', alice, 'state_requests', { items })).toEqual(returned(26))
      })

      it('says that a referenced entity is not there, and whether something was done before', async () => {
        const alice = await newUser(10)
        const outcome = await caller.call('User', alice, 'buy_item', { amount: 1, item: `nothing-${randomUUID()}` })
        expect(outcome).toMatchObject({ kind: 'rejected', reason: 'entity-not-found' })
        if (outcome.kind === 'rejected' && outcome.effect === 'none')
          expect(await balanceOf(alice)).toEqual(returned(10))
      })

      it('undoes all of a call that meets a missing entity half way', async (test) => {
        needs(test, 'atomic')
        const alice = await newUser()
        const bob = await newUser()
        const users = [bob, `nobody-${randomUUID()}`]
        expect(await caller.call('User', alice, 'simple_for_loop', { users })).toMatchObject(notFound)
        expect(await balanceOf(bob)).toEqual(returned(1))
      })

      it('does not lock up when two entities call each other', async () => {
        const [alice, bob] = [await newUser(0), await newUser(0)]
        const calls = Array.from({ length: 20 }, (_, index) => {
          const [from, to] = index % 2 === 0 ? [alice, bob] : [bob, alice]
          return caller.call('User', from, 'simple_for_loop', { users: [to] })
        })
        expect(await Promise.all(calls)).toEqual(calls.map(() => returned(1)))
        expect(await balanceOf(alice)).toEqual(returned(40))
        expect(await balanceOf(bob)).toEqual(returned(40))
      })
    })

    describe('reading and writing state', () => {
      it('reads the whole state in one answer', async (test) => {
        needs(test, 'readState')
        const laptop = await newItem(3, 5)
        const outcome = await caller.readState('Item', laptop)
        expect(outcome).toMatchObject(returned({ item_name: laptop, price: 3, stock: 5 }))
      })

      it('reads and writes one attribute', async (test) => {
        needs(test, 'readAttribute', 'writeAttribute')
        const laptop = await newItem(3, 5)
        expect(await caller.readAttribute('Item', laptop, 'price')).toEqual(returned(3))
        expect((await caller.writeAttribute('Item', laptop, 'price', 4)).kind).toBe('returned')
        expect(await caller.readAttribute('Item', laptop, 'price')).toEqual(returned(4))
        expect(await caller.readAttribute('Item', laptop, 'stock')).toEqual(returned(5))
      })

      it('says so when there is nothing to read or write', async (test) => {
        needs(test, 'readAttribute', 'writeAttribute')
        const nothing = `nothing-${randomUUID()}`
        expect(await caller.readAttribute('Item', nothing, 'price')).toMatchObject(notFound)
        expect(await caller.writeAttribute('Item', nothing, 'price', 4)).toMatchObject(notFound)
        if (adapter.capabilities.readState) expect(await caller.readState('Item', nothing)).toMatchObject(notFound)
      })

      it('hands out copies', async (test) => {
        needs(test, 'readState')
        const alice = await newUser()
        const first = await caller.readState('User', alice)
        if (first.kind === 'returned') Object.assign(Object(first.value), { balance: 1_000_000 })
        expect(await caller.readState('User', alice)).toMatchObject(returned({ balance: 1 }))
      })
    })

    describe('time, health and the end', () => {
      it('does not claim a result for a call whose deadline had passed', async () => {
        const alice = await newUser()
        const target = methodTarget(caller.entity('User'), alice, 'get_balance')
        const { kind } = await adapter.invoke({ ...caller.invocation(target), deadline: Date.now() - 1 })
        expect(['not-sent', 'unknown']).toContain(kind)
      })

      it('reports its health and numbers that only grow', async () => {
        const checks = await adapter.health()
        expect(checks.length).toBeGreaterThan(0)
        expect(checks.filter(({ ok }) => !ok)).toEqual([])
        const before = adapter.counters()
        await balanceOf(await newUser())
        const after = adapter.counters()
        for (const [counter, count] of Object.entries(before)) expect(after[counter]).toBeGreaterThanOrEqual(count)
      })

      // The last test: nothing can be asked after it.
      it('leaves no call without an outcome when it closes, and takes none after', async () => {
        const users = await Promise.all([newUser(), newUser(), newUser()])
        const underWay = users.map((user) => caller.call('User', user, 'update_balance', { x: 1 }))
        await adapter.close()
        await adapter.close()
        for (const { kind } of await Promise.all(underWay)) expect(['returned', 'not-sent', 'unknown']).toContain(kind)
        expect(await balanceOf(users[0] ?? '')).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
        expect((await adapter.health()).every(({ ok }) => ok)).toBe(false)
      })
    })
  })
}

const notFound = { kind: 'rejected', reason: 'entity-not-found', effect: 'none' }

function returned(value: unknown): Outcome {
  return { kind: 'returned', value }
}
