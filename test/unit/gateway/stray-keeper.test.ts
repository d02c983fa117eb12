import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import { createSteadyStore } from '../../../src/gateway/invocations/steady-store.ts'
import { createStrayKeeper, type Kin, type StrayKeeper } from '../../../src/gateway/invocations/stray-keeper.ts'
import { type InvocationRecord, type InvocationStore, StoreUnavailable } from '../../../src/routes/invocation-store.ts'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import { invocationOf, registry } from '../../simulation/entity.ts'

const OWN = 'aaaaaa'
const OTHER = 'bbbbbb'
const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }
const seven: Outcome = { kind: 'returned', value: 7 }

const keepers: StrayKeeper[] = []

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(async () => {
  for (const keeper of keepers.splice(0)) await keeper.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

function recordOf(id: string): InvocationRecord {
  return {
    ...{ id, principal: '', replica: id.slice(-6), createdAt: Date.now(), expiresAt: Date.now() + 600_000 },
    asked: { kind: 'call', entity: 'Counter', key: 'k', member: 'add' },
    ...{ fingerprint: undefined, state: 'running' },
  }
}

async function start(changes: Partial<InvocationStore> = {}, kin?: Kin) {
  const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 100 })
  const store: InvocationStore = { ...memory, isShared: true, ...changes }
  const strays = createStrayKeeper({ store, replica: OWN, log, kin })
  keepers.push(strays)
  await strays.start(registry.entities)
  const bodyOf = async (id: string): Promise<string | undefined> => {
    const record = await memory.read(id)
    return record === 'gone' ? 'gone' : record?.answer?.body
  }
  return { strays, memory, bodyOf }
}

describe('a keeper of stray replies', () => {
  it('keeps a late answer, and one of the wrong type as the problem it is', async () => {
    const { strays, memory, bodyOf } = await start()
    for (const [id, value] of [
      [`1-${OWN}`, 7],
      [`2-${OWN}`, 'text'],
    ] as const) {
      await memory.open(recordOf(id), undefined)
      strays.late(invocationOf(id, 1, Date.now()), { kind: 'returned', value })
      await vi.advanceTimersByTimeAsync(1)
    }
    expect(await bodyOf(`1-${OWN}`)).toBe('7')
    expect(JSON.parse((await bodyOf(`2-${OWN}`)) ?? '')).toMatchObject({ code: 'unreadable_answer', status: 502 })
  })

  it('takes a reply of its own that it no longer remembers the call of', async () => {
    const { strays, memory, bodyOf } = await start({ isShared: false })
    await memory.open(recordOf(`1-${OWN}`), undefined)
    strays.foreign(`1-${OWN}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(1)
    expect(await bodyOf(`1-${OWN}`)).toBe('7')
  })

  it('does not ask a store of its own for other replicas’ calls', async () => {
    const read = vi.fn<InvocationStore['read']>(async () => undefined)
    const { strays } = await start({ isShared: false, read })
    strays.foreign(`1-${OTHER}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(100_000)
    expect(read).not.toHaveBeenCalled()
  })

  it('takes over from those alone that share its store, and reads no share of others', async () => {
    let living = new Set([OWN, `${OTHER}@1/4`])
    const kin: Kin = { has: (name) => name === OTHER, heldElsewhere: [{ index: 2, count: 4 }] }
    const { strays, memory, bodyOf } = await start({ isShared: false, beat: async () => living }, kin)
    expect(strays.holders?.()).toEqual([
      { index: 1, count: 4 },
      { index: 2, count: 4 },
    ])
    for (const sender of [OTHER, 'cccccc']) {
      await memory.open(recordOf(`1-${sender}`), undefined)
      strays.foreign(`1-${sender}`, () => seven, 10)
    }
    living = new Set([OWN])
    await vi.advanceTimersByTimeAsync(10_000)
    expect([await bodyOf(`1-${OTHER}`), await bodyOf('1-cccccc')]).toEqual(['7', undefined])
  })

  it('leaves a living replica its reply, and takes it over when that replica dies', async () => {
    let living = new Set([OWN, OTHER])
    const { strays, memory, bodyOf } = await start({ beat: async () => living })
    await memory.open(recordOf(`1-${OTHER}`), undefined)
    strays.foreign(`1-${OTHER}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await bodyOf(`1-${OTHER}`)).toBeUndefined()
    living = new Set([OWN])
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await bodyOf(`1-${OTHER}`)).toBe('7')
  })

  it('finds a record that is opened only after its reply came', async () => {
    const { strays, memory, bodyOf } = await start()
    strays.foreign(`1-${OTHER}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(20_000)
    await memory.open(recordOf(`1-${OTHER}`), undefined)
    await vi.advanceTimersByTimeAsync(40_000)
    expect(await bodyOf(`1-${OTHER}`)).toBe('7')
  })

  it('stops asking for what is nobody’s', async () => {
    const read = vi.fn<InvocationStore['read']>(async () => undefined)
    const { strays } = await start({ read })
    strays.foreign(`1-${OTHER}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(600_000)
    expect(read.mock.calls.length).toBeLessThanOrEqual(7)
  })

  it('goes on no more once it is closed, however late its start ends', async () => {
    const { promise, resolve } = Promise.withResolvers<ReadonlySet<string>>()
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 100 })
    const strays = createStrayKeeper({ store: { ...memory, beat: () => promise }, replica: OWN, log, kin: undefined })
    const starting = strays.start(registry.entities)
    await strays.close()
    resolve(new Set([OWN]))
    await starting
    expect(vi.getTimerCount()).toBe(0)
  })

  it('takes nobody for dead while the store can’t say who lives', async () => {
    let isAway = false
    const { strays, memory, bodyOf } = await start({
      beat: async () => {
        if (isAway) throw new StoreUnavailable('away')
        return new Set([OWN, OTHER])
      },
      // At the end, that nobody can be told of it is no failure.
      leave: () => Promise.reject(new StoreUnavailable('away')),
    })
    isAway = true
    await vi.advanceTimersByTimeAsync(2_000)
    await memory.open(recordOf(`1-${OTHER}`), undefined)
    strays.foreign(`1-${OTHER}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await bodyOf(`1-${OTHER}`)).toBeUndefined()
  })

  it('counts what it has kept, taken over and lost', async () => {
    let isAway = false
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 100 })
    const { strays } = await start({
      ...memory,
      isShared: true,
      finish: (id, answer) => (isAway ? Promise.reject(new StoreUnavailable('away')) : memory.finish(id, answer)),
    })
    for (const id of [`1-${OWN}`, `2-${OTHER}`, `3-${OTHER}`]) await memory.open(recordOf(id), undefined)
    strays.late(invocationOf(`1-${OWN}`, 1, Date.now()), seven)
    // Nothing is counted of what had an answer, or no record.
    strays.late(invocationOf(`1-${OWN}`, 1, Date.now()), seven)
    for (const id of [`2-${OTHER}`, `3-${OTHER}`]) strays.foreign(id, () => seven, 10)
    await vi.advanceTimersByTimeAsync(1)
    isAway = true
    strays.late(invocationOf(`4-${OWN}`, 1, Date.now()), seven)
    await vi.advanceTimersByTimeAsync(1)
    expect(strays.counters()).toEqual({ kept: 1, adopted: 2, lost: 1 })
  })

  it('is known by its share alone once it holds one, and by nothing once it is closed', async () => {
    const names = new Set<string>()
    const { strays } = await start({
      beat: async (name) => names.add(name),
      leave: async (name) => void names.delete(name),
    })
    expect([...names]).toEqual([OWN])
    await strays.hold({ index: 0, count: 2 })
    expect([...names]).toEqual([`${OWN}@0/2`])
    await strays.close()
    expect([...names]).toEqual([])
  })

  it('says nothing of shares that others hold where it shares no store', async () => {
    const { strays } = await start({ isShared: false })
    expect(strays.holders?.()).toBeUndefined()
  })

  it('tries again when the store was away', async () => {
    let isAway = true
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 100 })
    const { strays } = await start({
      read: async (id) => {
        if (isAway) throw new StoreUnavailable('away')
        return memory.read(id)
      },
      finish: memory.finish,
    })
    await memory.open(recordOf(`1-${OTHER}`), undefined)
    strays.foreign(`1-${OTHER}`, () => seven, 10)
    await vi.advanceTimersByTimeAsync(5_000)
    isAway = false
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await memory.read(`1-${OTHER}`)).toMatchObject({ state: 'finished', answer: { body: '7' } })
  })
})

describe('a steady store', () => {
  const answer = { status: 200, headers: {}, body: '1' }

  it('finishes a record after it was opened, however slow the opening is', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 100 })
    const store = createSteadyStore({
      ...memory,
      open: async (record, scope) => {
        await new Promise((resolve) => setTimeout(resolve, 300))
        return memory.open(record, scope)
      },
    })
    const opened = store.open(recordOf('1'), undefined)
    const finished = store.finish('1', answer)
    await vi.advanceTimersByTimeAsync(300)
    expect(await Promise.all([opened, finished])).toEqual([{ kind: 'opened' }, true])
    await store.close()
  })

  it('tries to write until the store is back, and gives up when it is closed', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 100 })
    let isAway = true
    const store = createSteadyStore({
      ...memory,
      finish: async (id, given) => {
        if (isAway) throw new StoreUnavailable('away')
        return memory.finish(id, given)
      },
    })
    await store.open(recordOf('1'), undefined)
    const first = store.finish('1', answer)
    await vi.advanceTimersByTimeAsync(20_000)
    isAway = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await first).toBe(true)
    isAway = true
    const second = store.finish('2', answer)
    const refused = expect(second).rejects.toThrow('away')
    await vi.advanceTimersByTimeAsync(1_000)
    await store.close()
    await refused
  })
})
