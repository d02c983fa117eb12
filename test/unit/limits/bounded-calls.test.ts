import { describe, expect, it } from 'vitest'
import { type AdaptiveLimit, createAdaptiveLimit, type Ending } from '../../../src/gateway/limits/adaptive-limit.ts'
import {
  type BoundedCallsOptions,
  createBoundedCalls,
  type Shedding,
} from '../../../src/gateway/limits/bounded-calls.ts'
import type { Invocation, Outcome, Patience } from '../../../src/runtime-adapters/contract.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'
import { until } from '../../helpers/until.ts'

const [account, other] = compiledEntities(
  ...['Account', 'Other'].map((name) => ({
    name,
    create: { params: [{ name: 'id', schema: { type: 'string' } }] },
    methods: [{ name: 'add', params: [] }],
  })),
)

const done: Outcome = { kind: 'returned', value: null }

interface Asked {
  readonly patience?: Patience
  readonly kind?: 'call' | 'find' | 'create'
  readonly entity?: typeof account | undefined
}

function invocationOf(key: string, { patience, kind = 'call', entity = account }: Asked = {}): Invocation {
  const method = entity?.methods.get('add')
  if (entity === undefined || method === undefined) throw new Error('the test’s own metadata is broken')
  const targets = {
    call: { kind: 'call', entity, key, method },
    find: { kind: 'find', entity, key },
    create: { kind: 'create', entity },
  } as const
  const args = kind === 'create' ? { id: key } : {}
  return { id: key, target: targets[kind], args, deadline: Date.now() + 10_000, context: {}, patience }
}

/** A runtime that answers when it is told to. */
function build(options: Partial<BoundedCallsOptions>) {
  const waiting: ((outcome: Outcome) => void)[] = []
  const shed: Shedding[] = []
  const { bound, room } = createBoundedCalls({
    ...{ maxPerEntity: 0, maxPerKey: 0, adaptiveOf: undefined, onShed: (cause) => void shed.push(cause) },
    ...options,
  })
  const ask = (): Promise<Outcome> => new Promise((resolve) => waiting.push(resolve))
  const invoke = bound(ask)
  const answer = async (count: number, outcome = done): Promise<void> => {
    for (const resolve of waiting.splice(0, count)) resolve(outcome)
    await new Promise(setImmediate)
  }
  return { invoke, bound, ask, room, waiting, shed, answer }
}

const overloaded = { kind: 'not-sent', cause: 'overloaded' }

describe('calls under way', () => {
  it('of one key are bounded, and those of others go on', async () => {
    const { invoke, waiting, shed, answer } = build({ maxPerKey: 2 })
    void invoke(invocationOf('hot'))
    void invoke(invocationOf('hot'))
    expect(await invoke(invocationOf('hot'))).toMatchObject(overloaded)
    void invoke(invocationOf('cold'))
    void invoke(invocationOf('hot', { entity: other }))
    expect(waiting).toHaveLength(4)
    expect(shed).toEqual(['key'])
    await answer(1)
    void invoke(invocationOf('hot'))
    expect(waiting).toHaveLength(4)
  })

  it('of one key are bounded, whether or not anybody waits for them', async () => {
    const { invoke, waiting } = build({ maxPerKey: 1 })
    void invoke(invocationOf('hot', { patience: 'detached' }))
    expect(await invoke(invocationOf('hot', { patience: 'detached' }))).toMatchObject(overloaded)
    expect(await invoke(invocationOf('hot'))).toMatchObject(overloaded)
    expect(waiting).toHaveLength(1)
  })

  it('say what there was too much of', async () => {
    const full = async (options: Partial<BoundedCallsOptions>) => {
      const { invoke } = build(options)
      void invoke(invocationOf('a'))
      return invoke(invocationOf('a'))
    }
    const limit = createAdaptiveLimit({ min: 1, max: 1, tolerance: 2, floorMs: 10 })
    limit.enter(invocationOf('b').target, 1, performance.now())
    expect(await full({ maxPerEntity: 1 })).toMatchObject({
      detail: 'As many calls of Account as may be are under way. This one was not sent.',
    })
    expect(await full({ maxPerKey: 1 })).toMatchObject({
      detail: 'As many calls of this Account as may be are under way. This one was not sent.',
    })
    expect(await full({ adaptiveOf: () => limit })).toMatchObject({
      detail: 'The runtime has as many calls as it answers quickly. This one was not sent.',
    })
  })

  it('count a creation for the key among its arguments', async () => {
    const { invoke } = build({ maxPerKey: 1 })
    void invoke(invocationOf('new', { kind: 'create' }))
    expect(await invoke(invocationOf('new'))).toMatchObject(overloaded)
  })

  it('of one entity type are bounded, and those of other types go on', async () => {
    const { invoke, waiting, shed } = build({ maxPerEntity: 2 })
    void invoke(invocationOf('a'))
    void invoke(invocationOf('b'))
    expect(await invoke(invocationOf('c'))).toMatchObject(overloaded)
    void invoke(invocationOf('c', { entity: other }))
    expect(waiting).toHaveLength(3)
    expect(shed).toEqual(['entity'])
  })

  it('give their place back whatever becomes of them', async () => {
    const { invoke, answer } = build({ maxPerKey: 1 })
    const outcomes: Outcome[] = [
      done,
      { kind: 'raised', message: 'no' },
      { kind: 'unknown', cause: 'deadline', detail: '' },
      { kind: 'not-sent', cause: 'broker-unavailable', detail: '' },
    ]
    for (const outcome of outcomes) {
      const called = invoke(invocationOf('a'))
      await answer(1, outcome)
      expect(await called).toEqual(outcome)
    }
    const failing = build({ maxPerKey: 1 }).bound(() => Promise.reject(new Error('a bug')))
    for (let n = 0; n < 2; n++) await expect(failing(invocationOf('a'))).rejects.toThrow('a bug')
  })

  it('are counted together when the routes were exchanged meanwhile', async () => {
    const { invoke, bound, ask, answer } = build({ maxPerKey: 1 })
    const before = invoke(invocationOf('a'))
    const reloaded = bound(ask)
    expect(await reloaded(invocationOf('a'))).toMatchObject(overloaded)
    await answer(1)
    expect(await before).toEqual(done)
    void reloaded(invocationOf('a'))
    expect(await invoke(invocationOf('a'))).toMatchObject(overloaded)
  })

  it('of a batch wait for room instead of being refused', async () => {
    const { invoke, waiting, shed, room, answer } = build({ maxPerEntity: 1 })
    void invoke(invocationOf('a'))
    const lines = ['b', 'c'].map((key) => invoke(invocationOf(key, { patience: 'queues' })))
    expect([waiting.length, room.size]).toEqual([1, 2])
    await answer(1)
    expect([waiting.length, room.size]).toEqual([1, 1])
    await answer(1)
    await answer(1)
    expect(await Promise.all(lines)).toEqual([done, done])
    expect(shed).toEqual([])
  })

  it('of a batch that wait are refused once their key is hot, and hold up none behind them', async () => {
    const { invoke, waiting, shed, room, answer } = build({ maxPerEntity: 2, maxPerKey: 1 })
    void invoke(invocationOf('other'))
    void invoke(invocationOf('hot'))
    const [hot, first, second] = ['hot', 'cold', 'colder'].map((key) =>
      invoke(invocationOf(key, { patience: 'queues' })),
    )
    expect([waiting.length, room.size]).toEqual([2, 3])
    await answer(1)
    expect(await hot).toMatchObject(overloaded)
    // The first of the cold ones has taken the place that there was.
    expect([waiting.length, room.size, shed]).toEqual([2, 1, ['key']])
    await answer(2)
    await answer(1)
    expect(await Promise.all([first, second])).toEqual([done, done])
  })
})

describe('a runtime that is full', () => {
  const full = () => {
    const limit = createAdaptiveLimit({ min: 20, max: 20, tolerance: 2, floorMs: 10 })
    return build({ adaptiveOf: () => limit })
  }

  it('lets reads in last of all, and writes before lines of batches', async () => {
    const { invoke, waiting, room, shed } = full()
    for (let n = 0; n < 15; n++) void invoke(invocationOf(`line ${n}`, { patience: 'queues' }))
    void invoke(invocationOf('line', { patience: 'queues' }))
    expect([waiting.length, room.size]).toEqual([15, 1])
    for (let n = 0; n < 3; n++) void invoke(invocationOf(`write ${n}`))
    expect(await invoke(invocationOf('write'))).toMatchObject(overloaded)
    for (let n = 0; n < 2; n++) void invoke(invocationOf(`read ${n}`, { kind: 'find' }))
    expect(await invoke(invocationOf('read', { kind: 'find' }))).toMatchObject(overloaded)
    expect([waiting.length, shed]).toEqual([20, ['runtime', 'runtime']])
    room.close()
  })

  it('gives each place that comes free to another entity type whose batches wait', async () => {
    const { invoke, bound, room, answer } = full()
    for (let n = 0; n < 15; n++) void invoke(invocationOf(`before ${n}`))
    const sent: string[] = []
    const line = bound(({ id }) => {
      sent.push(id)
      return new Promise(() => undefined)
    })
    for (const key of ['a1', 'a2', 'a3']) void line(invocationOf(key, { patience: 'queues' }))
    for (const key of ['b1', 'b2']) void line(invocationOf(key, { patience: 'queues', entity: other }))
    for (let n = 0; n < 4; n++) await answer(1)
    expect(sent).toEqual(['a1', 'b1', 'a2', 'b2'])
    room.close()
  })

  it('is told how each call has ended', async () => {
    const endings: Ending[] = []
    const limit: AdaptiveLimit = {
      ...createAdaptiveLimit({ min: 20, max: 20, tolerance: 2, floorMs: 10 }),
      leave: (_call, ending) => void endings.push(ending),
    }
    const { bound, invoke, answer } = build({ adaptiveOf: () => limit })
    const outcomes: Outcome[] = [
      done,
      { kind: 'created', key: 'a' },
      { kind: 'rejected', reason: 'entity-not-found', detail: '', effect: 'none' },
      { kind: 'raised', message: 'no' },
      { kind: 'malformed', detail: '' },
      { kind: 'unknown', cause: 'deadline', detail: '' },
      { kind: 'not-sent', cause: 'broker-unavailable', detail: '' },
    ]
    for (const outcome of outcomes) {
      const called = invoke(invocationOf('a'))
      await answer(1, outcome)
      await called
    }
    await expect(bound(() => Promise.reject(new Error('a bug')))(invocationOf('a'))).rejects.toThrow('a bug')
    expect(endings).toEqual(['done', 'done', 'refused', 'refused', 'refused', 'silent', 'not-sent', 'not-sent'])
  })

  it('leaves a hot key no more than the bound of its own', async () => {
    const limit = createAdaptiveLimit({ min: 20, max: 20, tolerance: 2, floorMs: 10 })
    const { invoke, shed } = build({ adaptiveOf: () => limit, maxPerKey: 2 })
    for (let n = 0; n < 2; n++) void invoke(invocationOf('hot'))
    expect(await invoke(invocationOf('hot'))).toMatchObject(overloaded)
    expect(shed).toEqual(['key'])
  })

  it('takes a call of each kind though it takes but one at once', async () => {
    const limit = createAdaptiveLimit({ min: 1, max: 1, tolerance: 2, floorMs: 10 })
    const { invoke, answer } = build({ adaptiveOf: () => limit })
    for (const asked of [{ kind: 'find' }, { kind: 'call' }, { patience: 'queues' }] as const) {
      const called = invoke(invocationOf('a', asked))
      await answer(1)
      expect(await called, JSON.stringify(asked)).toEqual(done)
    }
  })

  it('leaves a hot key a quarter of its room', async () => {
    const { invoke, shed } = full()
    for (let n = 0; n < 5; n++) void invoke(invocationOf('hot'))
    expect(await invoke(invocationOf('hot'))).toMatchObject(overloaded)
    expect(shed).toEqual(['key'])
  })

  it('still queues what nobody waits for, however much', async () => {
    const { invoke, waiting, shed } = full()
    for (let n = 0; n < 10_000; n++) void invoke(invocationOf(`key ${n}`, { patience: 'detached' }))
    void invoke(invocationOf('a'))
    expect([waiting.length, shed.length]).toEqual([10_001, 0])
    await until('all are under way', async () => waiting.length === 10_001)
  })
})
