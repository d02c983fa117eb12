import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../../../src/entity-registry/descriptor.ts'
import { createParting } from '../../../src/gateway/reload/parting.ts'
import { createServerMap, prepareRuntimes } from '../../../src/gateway/reload/prepare-runtimes.ts'
import type { Instance } from '../../../src/gateway/runtimes.ts'
import type { Capabilities, PreparedEntities, RuntimeAdapter } from '../../../src/runtime-adapters/contract.ts'
import { everything } from '../../helpers/scripted-app.ts'

const patienceMs = 60_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** An entity of each instance, `Of` and its name. */
function entitiesOf(...instances: readonly string[]): readonly EntityDescriptor[] {
  return instances.flatMap((runtime) => {
    const entities = [{ name: `Of${runtime}`, key: { name: 'id', schema: { type: 'string' } }, methods: [] }]
    const document = { formatVersion: 1 as const, application: 'test', runtime: { name: runtime }, entities }
    return compileEntities([{ file: 'test.json', document }])
  })
}

interface Script {
  readonly prepare?: (entities: readonly EntityDescriptor[]) => PreparedEntities | undefined
  readonly start?: () => Promise<void>
  readonly capabilities?: Capabilities
}

/** Does nothing but to tell what becomes of it. */
function adapterOf({ prepare, start = async () => undefined, capabilities = everything }: Script = {}) {
  const state = { unanswered: 0, started: 0, closed: 0 }
  const adapter: RuntimeAdapter = {
    name: 'test',
    capabilities,
    async start() {
      state.started++
      await start()
    },
    invoke: async () => ({ kind: 'returned', value: null }),
    health: async () => [],
    counters: () => ({}),
    unanswered: () => state.unanswered,
    async close() {
      state.closed++
    },
    ...(prepare && { prepare }),
  }
  return { adapter, state }
}

type Scripted = ReturnType<typeof adapterOf>

/** Runtimes of these instances; those that are made for new entities are `made`, one after the other. */
function runtimesOf(running: Readonly<Record<string, Scripted>>, made: readonly Scripted[]) {
  const names = Object.keys(running)
  const instances = names.map((name) => ({ name, adapter: 'embedded', options: {} }) as Instance)
  const adapters = new Map(Object.entries(running).map(([name, { adapter }]) => [name, adapter]))
  const first = entitiesOf(...names)
  const servers = createServerMap(adapters, first)
  const parting = createParting(patienceMs)
  const waiting = [...made]
  const create = async () => {
    const next = waiting.shift()
    if (next === undefined) throw new Error('No more of them.')
    return next.adapter
  }
  const next = entitiesOf(...names)
  const prepare = () => prepareRuntimes(next, { instances, adapters, servers, parting, create })
  return { first, next, adapters, servers, parting, prepare }
}

describe('new entities', () => {
  it('go to the adapter that runs, where it can take them, and it follows them once they serve', async () => {
    const commit = vi.fn()
    const capabilities = { ...everything, find: false }
    const running = adapterOf({ prepare: () => ({ capabilities, commit }) })
    const { first, next, servers, prepare } = runtimesOf({ A: running }, [])
    const prepared = await prepare()
    expect(next.map(prepared.capabilitiesOf)).toEqual([capabilities])
    expect(() => next.map(servers.of)).toThrow('no runtime instance serves the entity OfA')
    expect(commit).not.toHaveBeenCalled()
    prepared.commit(Promise.resolve())
    expect(commit).toHaveBeenCalledOnce()
    expect([...first, ...next].map(servers.of)).toEqual([running.adapter, running.adapter])
    await prepared.abandon()
    await vi.advanceTimersByTimeAsync(2 * patienceMs)
    expect(running.state).toMatchObject({ started: 0, closed: 0 })
  })

  it('go to one that is started for them, where it can’t, and those of before stay where they are', async () => {
    const [before, after] = [adapterOf({ prepare: () => undefined }), adapterOf()]
    const { first, next, adapters, servers, prepare } = runtimesOf({ A: before }, [after])
    const prepared = await prepare()
    expect(after.state.started).toBe(1)
    expect(adapters.get('A')).toBe(before.adapter)
    prepared.commit(Promise.resolve())
    expect(adapters.get('A')).toBe(after.adapter)
    expect([...first, ...next].map(servers.of)).toEqual([before.adapter, after.adapter])
  })

  it('go each to the adapter of its own instance, and are served by what that one can do', async () => {
    const readied: string[] = []
    const prepare = (entities: readonly EntityDescriptor[]) => {
      readied.push(...entities.map(({ name }) => name))
      return { capabilities: everything, commit: () => undefined }
    }
    const [a, b] = [adapterOf({ prepare }), adapterOf({ capabilities: { ...everything, find: true } })]
    const made = adapterOf({ capabilities: { ...everything, find: false } })
    const runtimes = runtimesOf({ A: a, B: b }, [made])
    const prepared = await runtimes.prepare()
    expect(runtimes.next.map((entity) => prepared.capabilitiesOf(entity).find)).toEqual([true, false])
    prepared.commit(Promise.resolve())
    const served = [...runtimes.first, ...runtimes.next].map(runtimes.servers.of)
    expect(served.map((one) => [a, b, made].findIndex(({ adapter }) => adapter === one))).toEqual([0, 1, 0, 2])
    expect(readied).toEqual(['OfA'])
  })

  it('leave nothing started behind where one of several adapters can’t be made for them', async () => {
    const [made, other] = [adapterOf(), adapterOf()]
    const { adapters, prepare } = runtimesOf({ A: adapterOf(), B: other }, [made])
    await expect(prepare()).rejects.toThrow('No more of them.')
    expect(made.state).toMatchObject({ started: 1, closed: 1 })
    expect([adapters.get('B'), other.state.closed]).toEqual([other.adapter, 0])
  })

  it('leave nothing behind of an adapter that can’t be started for them', async () => {
    const start = async () => {
      throw new Error('Nobody is there.')
    }
    const [running, made] = [adapterOf(), adapterOf({ start })]
    await expect(runtimesOf({ A: running }, [made]).prepare()).rejects.toThrow('Nobody is there.')
    expect([made.state.closed, running.state.closed]).toEqual([1, 0])
  })

  it('that are given up leave the adapter that runs, and end the one that was started for them', async () => {
    const kept = adapterOf({ prepare: () => ({ capabilities: everything, commit: () => undefined }) })
    const made = adapterOf()
    const prepared = await runtimesOf({ A: kept, B: adapterOf() }, [made]).prepare()
    await prepared.abandon()
    expect([kept.state.closed, made.state.closed]).toEqual([0, 1])
  })
})

describe('an adapter whose place was taken', () => {
  async function exchange(unanswered: number) {
    const [before, after] = [adapterOf(), adapterOf()]
    before.state.unanswered = unanswered
    const disused = Promise.withResolvers<void>()
    const { parting, prepare } = runtimesOf({ A: before }, [after])
    const prepared = await prepare()
    prepared.commit(disused.promise)
    return { before, after, parting, disused }
  }

  it('is closed once, when nobody is left who may call it and its calls are answered', async () => {
    const { before, after, disused } = await exchange(0)
    await vi.advanceTimersByTimeAsync(2 * patienceMs)
    expect(before.state.closed).toBe(0)
    before.state.unanswered = 1
    disused.resolve()
    await vi.advanceTimersByTimeAsync(patienceMs / 2)
    expect(before.state.closed).toBe(0)
    before.state.unanswered = 0
    await vi.advanceTimersByTimeAsync(patienceMs)
    expect([before.state.closed, after.state.closed, vi.getTimerCount()]).toEqual([1, 0, 0])
  })

  it('is closed at the end of its patience, answered or not', async () => {
    const { before, disused } = await exchange(1)
    disused.resolve()
    await vi.advanceTimersByTimeAsync(patienceMs - 1_000)
    expect(before.state.closed).toBe(0)
    await vi.advanceTimersByTimeAsync(2_000)
    expect([before.state.closed, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('is closed at once, where it can’t tell of calls without an answer', async () => {
    const { before, disused } = await exchange(1)
    Reflect.deleteProperty(before.adapter, 'unanswered')
    disused.resolve()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(before.state.closed).toBe(1)
  })

  it('may fail at its end, which ends nothing else', async () => {
    const { before, after, disused } = await exchange(0)
    const close = vi.spyOn(before.adapter, 'close').mockRejectedValue(new Error('It is stuck.'))
    disused.resolve()
    await vi.advanceTimersByTimeAsync(patienceMs)
    expect([close.mock.calls.length, after.state.closed]).toEqual([1, 0])
  })

  it('is waited for by the others where it is just being closed', async () => {
    const { before, parting, disused } = await exchange(0)
    const ended = Promise.withResolvers<void>()
    const close = vi.spyOn(before.adapter, 'close').mockReturnValue(ended.promise)
    disused.resolve()
    await vi.advanceTimersByTimeAsync(1_000)
    const closed = vi.fn()
    const closing = parting.close().then(closed)
    await vi.advanceTimersByTimeAsync(1_000)
    expect([close.mock.calls.length, closed.mock.calls.length]).toEqual([1, 0])
    ended.resolve()
    await closing
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['before', 'after'])('is closed with the others, %s it has become disused', async (when) => {
    const { before, parting, disused } = await exchange(1)
    if (when === 'after') disused.resolve()
    await vi.advanceTimersByTimeAsync(1_000)
    await parting.close()
    expect(before.state.closed).toBe(1)
    disused.resolve()
    await vi.advanceTimersByTimeAsync(2 * patienceMs)
    expect([before.state.closed, vi.getTimerCount()]).toEqual([1, 0])
  })
})
