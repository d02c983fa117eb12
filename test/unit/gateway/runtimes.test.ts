import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readConfig } from '../../../src/gateway/config.ts'
import { createRuntimes, describeEntities, type Onlookers } from '../../../src/gateway/runtimes.ts'
import { adapters as catalog } from '../../../src/runtime-adapters/catalog.ts'
import type { Invocation, Log, RuntimeAdapter } from '../../../src/runtime-adapters/contract.ts'
import { silentLog } from '../../conformance/embedded-runtime.ts'
import { everything } from '../../helpers/scripted-app.ts'
import { createTemporaryFolder, type TemporaryFolder } from '../../helpers/temporary-folder.ts'

let folder: TemporaryFolder

beforeEach(() => {
  folder = createTemporaryFolder()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  folder.close()
})

/** An entity `Of` and its letter, and the instance that serves it. */
function documentOf(letter: string, runtime?: object): object {
  const entities = [{ name: `Of${letter}`, key: { name: 'id', schema: { type: 'string' } }, methods: [] }]
  return { formatVersion: 1, application: 'test', ...(runtime && { runtime }), entities }
}

function configOf(settings: object) {
  return readConfig({ env: { GATEWAY_CONFIG: folder.write('config.json', settings) }, argv: [] }).config
}

/** Tells what becomes of it, and answers with its name. */
function adapterOf(name: string) {
  const state = { started: 0, closed: 0, unanswered: 0, refused: 'none' }
  const adapter: RuntimeAdapter = {
    name,
    capabilities: { ...everything, find: name === 'a' },
    async start() {
      state.started++
    },
    invoke: async () => ({ kind: 'returned', value: name }),
    suits: (id) => id !== state.refused,
    health: async () => [{ name: 'broker', ok: name === 'a', detail: name }],
    counters: () => ({}),
    unanswered: () => state.unanswered,
    async close() {
      state.closed++
    },
  }
  return { adapter, state }
}

/** Two instances of one kind. Each time that adapters are made, there are new ones of the same names. */
async function startTwo(settings: object = {}, onlookers: Onlookers = {}) {
  const documents = ['A', 'B'].map((letter) =>
    folder.write(`${letter}.json`, documentOf(letter, { name: letter.toLowerCase() })),
  )
  const config = configOf({
    metadata: documents,
    runtimes: { a: { adapter: 'stateflow' }, b: { adapter: 'stateflow' } },
    ...settings,
  })
  const made: (ReturnType<typeof adapterOf> & { readonly entities: readonly string[] })[] = []
  const create = vi.spyOn(catalog.stateflow, 'create').mockImplementation(async (_options, context) => {
    const one = adapterOf(context.instance)
    made.push({ ...one, entities: context.entities.map(({ name }) => name) })
    return one.adapter
  })
  const runtimes = await createRuntimes(config, silentLog, onlookers)
  const optionsOf = (index: number) => create.mock.calls[index]?.[0]
  return { config, runtimes, made, optionsOf, contexts: () => create.mock.calls.map(([, context]) => context) }
}

describe('several runtimes behind one gateway', () => {
  it('each get their own entities, and the calls of these', async () => {
    const { runtimes, made } = await startTwo()
    expect(made.map(({ entities }) => entities)).toEqual([['OfA'], ['OfB']])
    const call = (entity: (typeof runtimes.first.entities)[number]) =>
      runtimes.invoke({ target: { kind: 'create', entity } } as Invocation)
    expect(await Promise.all(runtimes.first.entities.map(call))).toMatchObject([{ value: 'a' }, { value: 'b' }])
    expect(runtimes.first.entities.map((entity) => runtimes.first.capabilitiesOf(entity).find)).toEqual([true, false])
  })

  it('are told which replica this is, and whom to tell of replies that nobody waits for', async () => {
    const strays = { late: vi.fn(), foreign: vi.fn() }
    const { contexts } = await startTwo({ replica: '1/3' }, { strays })
    const told = { strays, share: { index: 1, count: 3 } }
    expect(contexts()).toMatchObject([told, told])
    expect(contexts().map((context) => context.strays)).toEqual([strays, strays])
  })

  it('are started, asked for their health, each under its name, and closed together', async () => {
    const { runtimes, made } = await startTwo()
    await runtimes.start()
    expect(await runtimes.checks()).toEqual([
      { name: 'a: broker', ok: true, detail: 'a' },
      { name: 'b: broker', ok: false, detail: 'b' },
    ])
    await runtimes.close()
    expect(made.map(({ state }) => [state.started, state.closed])).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('have to agree on the id of a call', async () => {
    const { runtimes, made } = await startTwo()
    expect(runtimes.suits('x')).toBe(true)
    for (const { state } of made) {
      state.refused = 'x'
      expect([runtimes.suits('x'), runtimes.suits('y')]).toEqual([false, true])
      state.refused = 'none'
    }
  })

  it('have the settings of all, and before these their own', async () => {
    const b = {
      ...{ adapter: 'stateflow', kafka: { brokers: ['own:1'] }, stateflow: { topicPrefix: 'own-' } },
      ...{ statefun: { dispatchTopic: 'own' }, statefunEndpoint: { maxBatch: 1 }, embedded: { entities: 'own.ts' } },
    }
    const { optionsOf } = await startTwo({
      kafka: { brokers: ['all:1'], saslUsername: 'everybody' },
      stateflow: { topicPrefix: 'all-' },
      ...{ statefun: { dispatchTopic: 'all' }, statefunEndpoint: { maxBatch: 2, maxQueued: 3 } },
      embedded: { entities: 'all.ts' },
      runtimes: { a: { adapter: 'stateflow' }, b },
      ...{ maxPending: 7, maxPendingBytes: 70_000 },
    })
    const limits = { maxCalls: 7, maxBytes: 70_000 }
    expect([optionsOf(0), optionsOf(1)]).toMatchObject([
      { statefun: { dispatchTopic: 'all' }, statefunEndpoint: { maxBatch: 2 }, embedded: { entities: 'all.ts' } },
      {
        ...{ statefun: { dispatchTopic: 'own' }, embedded: { entities: 'own.ts' } },
        statefunEndpoint: { maxBatch: 1, maxQueued: 3 },
      },
    ])
    expect([optionsOf(0), optionsOf(1)]).toMatchObject([
      { kafka: { brokers: ['all:1'], saslUsername: 'everybody' }, stateflow: { topicPrefix: 'all-' }, limits },
      { kafka: { brokers: ['own:1'], saslUsername: 'everybody' }, stateflow: { topicPrefix: 'own-' }, limits },
    ])
  })

  it('are all waited for where one can’t be closed, which is told', async () => {
    const { runtimes } = await startTwo()
    const ended = Promise.withResolvers<void>()
    const [a, b] = [...runtimes.adapters.values()]
    if (a !== undefined) vi.spyOn(a, 'close').mockRejectedValue(new Error('It is stuck.'))
    if (b !== undefined) vi.spyOn(b, 'close').mockReturnValue(ended.promise)
    const told = vi.fn()
    const closed = runtimes.close().catch(told)
    await setImmediate()
    expect(told).not.toHaveBeenCalled()
    ended.resolve()
    await closed
    expect(told.mock.calls).toMatchObject([[{ message: 'It is stuck.' }]])
  })

  it('are closed together also where another has taken the place of one that still waits for an answer', async () => {
    const { config, runtimes, made } = await startTwo()
    for (const { state } of made) state.unanswered = 1
    const prepared = await runtimes.prepare((await describeEntities(config)).entities)
    prepared.commit(new Promise(() => undefined))
    expect(made.map(({ state }) => state.closed)).toEqual([0, 0, 0, 0])
    await runtimes.close()
    expect(made.map(({ state }) => state.closed)).toEqual([1, 1, 1, 1])
  })

  it('wait for answers, where others have taken their places, for as long as records of calls are kept', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    const { config, runtimes, made } = await startTwo({ invocationLifetimeMs: 7_000 })
    for (const { state } of made) state.unanswered = 1
    const prepared = await runtimes.prepare((await describeEntities(config)).entities)
    prepared.commit(Promise.resolve())
    await vi.advanceTimersByTimeAsync(6_700)
    expect(made.map(({ state }) => state.closed)).toEqual([0, 0, 0, 0])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(made.map(({ state }) => state.closed)).toEqual([1, 1, 0, 0])
  })
})

describe('a document', () => {
  const two = { a: { adapter: 'stateflow' }, b: { adapter: 'stateflow' } }
  const readWith = (document: object, runtimes: object) =>
    describeEntities(configOf({ metadata: [folder.write('one.json', document)], runtimes }))

  it('belongs to the only instance there is, where it names none', async () => {
    const { entities } = await readWith(documentOf('A'), { a: { adapter: 'stateflow' } })
    expect(entities.map(({ runtimeName }) => runtimeName)).toEqual(['a'])
  })

  it('must name its instance where there are several', async () => {
    const read = readWith(documentOf('A'), two)
    await expect(read).rejects.toThrow('the document must say in "runtime.name" which instance serves it.')
    await expect(read).rejects.toThrow('Configured: a, b.')
  })

  it('must name one that there is', async () => {
    const read = readWith(documentOf('A', { name: 'orders' }), { order: { adapter: 'stateflow' } })
    await expect(read).rejects.toThrow('/runtime/name: no runtime instance is called "orders".')
    await expect(read).rejects.toThrow('Did you mean "order"?')
    await expect(readWith(documentOf('A', { name: 'zebra' }), two)).rejects.toThrow('Configured: a, b.')
  })

  it('is needed: a gateway without any does not start', async () => {
    await expect(describeEntities(configOf({ runtimes: two }))).rejects.toThrow('There is no metadata.')
  })
})

describe('what metadata may not have meant', () => {
  it('is said at the start', async () => {
    const method = { name: 'look', params: [{ name: 'day', schema: { type: 'string', format: 'dat' } }] }
    const entities = [{ name: 'OfA', key: { name: 'id', schema: { type: 'string' } }, methods: [method] }]
    const runtime = { name: 'stateflow' }
    const metadata = [folder.write('a.json', { formatVersion: 1, application: 'test', runtime, entities })]
    vi.spyOn(catalog.stateflow, 'create').mockResolvedValue(adapterOf('a').adapter)
    const warn = vi.fn<Log['warn']>()
    await createRuntimes(configOf({ metadata, runtime: 'stateflow' }), { ...silentLog, warn }, {})
    expect(warn.mock.calls.map(([fields]) => fields)).toEqual([{ hint: expect.stringContaining('"dat"') }])
  })
})

describe('entities that the operator hides', () => {
  it('are told apart from those he only says other things of', async () => {
    const overrides = folder.write('overrides.json', { OfA: { expose: false }, OfB: { path: 'bees' } })
    const document = documentOf('A', { name: 'stateflow' }) as { readonly entities: readonly object[] }
    const entities = [...document.entities, ...document.entities.map((entity) => ({ ...entity, name: 'OfB' }))]
    const metadata = [folder.write('both.json', { ...document, entities })]
    const described = await describeEntities(configOf({ metadata, overrides, runtime: 'stateflow' }))
    expect([[...described.hidden], described.entities.map(({ name }) => name)]).toEqual([['OfA'], ['OfB']])
  })
})
