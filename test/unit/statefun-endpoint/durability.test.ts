import { afterAll, describe, expect, it } from 'vitest'
import type { CommitResult } from '../../../src/runtime-adapters/sqlite/transaction.ts'
import type { DelayedMessage } from '../../../src/runtime-adapters/statefun/protobuf.ts'
import {
  createMemoryEngineStore,
  type EngineStore,
} from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import { SqliteEngineStore } from '../../../src/runtime-adapters/statefun-endpoint/sqlite-engine-store.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'
import { until } from '../../helpers/until.ts'
import { labAt, startEndpoint, startLab } from './engine-lab.ts'
import {
  type Answer,
  type Behaviour,
  done,
  egress,
  missing,
  spec,
  stateIn,
  texts,
  to,
  writes,
} from './scripted-endpoint.ts'

const root = createTemporaryFolder()
let folders = 0
afterAll(() => root.close())

const newFolder = () => `${root.path}/${folders++}`

/** Counts its messages, and tells the count. */
const counter: Behaviour = (batch) => {
  const before = stateIn(batch, 'n')
  if (before === null) return missing(spec('n'))
  const n = String(Number(before ?? 0) + batch.invocations.length)
  return done({ stateMutations: [writes('n', n)], outgoingEgresses: [egress(batch.target.id, n)] })
}

function delayed(text: string, delayInMs: number) {
  return { ...to('a', text), delayInMs, cancellationToken: text, isCancellationRequest: false }
}
const cancellation = { target: null, argument: null, delayInMs: 0, isCancellationRequest: true }

describe('an engine in a folder', () => {
  it('has its states after a restart', async () => {
    const folder = newFolder()
    const endpoint = await startEndpoint(counter)
    const first = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    await first.send('a', 'x')
    await first.answered(1)
    await first.engine.close()
    const second = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    await second.send('a', 'x')
    expect(await second.answered(1)).toEqual(['a:2'])
  })

  it('calls after a restart for messages that it had accepted, once and in their order', async () => {
    const folder = newFolder()
    const endpoint = await startEndpoint(() => new Promise<Answer>(() => undefined))
    const first = labAt(endpoint, { store: new SqliteEngineStore({ folder }), callTimeoutMs: 60_000, drainMs: 0 })
    for (const each of ['1', '2', '3']) expect(await first.send('a', each)).toEqual({ kind: 'acknowledged' })
    await first.engine.close()
    endpoint.behave((batch) => done({ outgoingEgresses: texts(batch).map((text) => egress('a', text)) }))
    const second = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    expect(await second.answered(3)).toEqual(['a:1', 'a:2', 'a:3'])
    await second.engine.close()
    const third = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    await third.send('b', '4')
    expect(await third.answered(1)).toEqual(['a:4'])
  })

  it('sends delayed messages after a restart, those at once that are due, and forgets what was cancelled', async () => {
    const folder = newFolder()
    const endpoint = await startEndpoint((batch) =>
      done({
        delayedInvocations: texts(batch).flatMap((text): readonly DelayedMessage[] => {
          if (text === 'cancel') return [{ ...cancellation, cancellationToken: 'second' }]
          if (text !== 'arm') return []
          return [delayed('first', 150), delayed('second', 150), delayed('third', 160)]
        }),
        outgoingEgresses: texts(batch).map((text) => egress('a', text)),
      }),
    )
    const first = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    await first.send('a', 'arm')
    await first.send('a', 'cancel')
    await first.answered(2)
    await first.engine.close()
    expect(first.egresses).toEqual(['a:arm', 'a:cancel'])
    const closedAtMs = Date.now()
    await until('all are due', () => Date.now() > closedAtMs + 160)
    const second = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    expect(await second.answered(2)).toEqual(['a:first', 'a:third'])
    expect(second.engine.counters().delayed).toBe(0)
  })

  it('keeps what has no bytes, and times that are beyond any number', async () => {
    const folder = newFolder()
    const nothing = { typename: 'io.statefun.types/int', hasValue: true, value: Buffer.alloc(0) }
    const forEver = 86_400_000_000 * 1_000_000
    const expirationSpec = { mode: 1, expireAfterMillis: forEver }
    const endpoint = await startEndpoint((batch) => {
      if (stateIn(batch, 'n') === null) return missing({ ...spec('n'), typeTypename: nothing.typename, expirationSpec })
      if (texts(batch)[0] !== 'begin') return done({ outgoingEgresses: [egress('answer', '')] })
      return done({
        stateMutations: [{ mutationType: 1, stateName: 'n', stateValue: nothing }],
        outgoingMessages: [{ ...to('b', ''), argument: nothing }],
        delayedInvocations: [delayed('never', forEver)],
      })
    })
    const first = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    await first.send('a', 'begin')
    expect(await first.answered(1)).toEqual(['answer:'])
    await first.engine.close()
    const second = labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    expect(second.engine.counters()).toMatchObject({ delayed: 1, failedCommits: 0 })
    await second.send('a', 'x')
    expect(await second.answered(1)).toEqual(['answer:'])
    expect(endpoint.batches.at(-1)?.state[0]?.stateValue?.hasValue).toBe(true)
  })

  it('refuses a folder that another engine has', async () => {
    const folder = newFolder()
    const endpoint = await startEndpoint(counter)
    labAt(endpoint, { store: new SqliteEngineStore({ folder }) })
    expect(() => labAt(endpoint, { store: new SqliteEngineStore({ folder }) })).toThrow(/in use by another process/)
  })

  it('takes no message for which the disk has no room, and says so', async () => {
    const { send, engine } = await startLab(() => new Promise<Answer>(() => undefined), {
      store: new SqliteEngineStore({ folder: newFolder(), maxPages: 40 }),
      drainMs: 0,
    })
    expect(await send('a', 'x')).toEqual({ kind: 'acknowledged' })
    expect(await send('b', 'y'.repeat(1_000_000))).toMatchObject({ kind: 'not-sent', cause: 'runtime-unavailable' })
    expect(await send('c', 'x')).toEqual({ kind: 'acknowledged' })
    expect(engine.counters()).toMatchObject({ failedCommits: 1 })
  })

  it('keeps addresses apart whose parts join to the same text', async () => {
    const store = new SqliteEngineStore({ folder: newFolder() })
    const { engine, answered } = await startLab(counter, { store, functions: '*' })
    const argument = { typename: 't', hasValue: false, value: Buffer.alloc(0) }
    const ends = [
      { namespace: 'test', type: 'f', id: 'g/h' },
      { namespace: 'test/f', type: 'g', id: 'h' },
    ]
    for (const target of ends) await engine.accept({ target, caller: null, argument, origin: undefined })
    expect((await answered(2)).toSorted()).toEqual(['g/h:1', 'h:1'])
  })
})

describe('a store that fails', () => {
  /** Refuses the changes that `refuses` says, so many times. */
  function failing(times: number, refuses: (change: Parameters<EngineStore['write']>[0]) => boolean, isCertain = true) {
    const store = createMemoryEngineStore()
    let left = times
    const failure: CommitResult = { kind: 'failed', isCertain, detail: 'the disk is full' }
    const broken: EngineStore = {
      ...store,
      write(change) {
        if (refuses(change) && left-- > 0) return Promise.resolve(failure)
        return Promise.resolve(store.write(change)).then(() => ({ kind: 'committed' as const }))
      },
    }
    return broken
  }

  it('lets nobody see what is not kept, and calls the function only once for it', async () => {
    const gate = Promise.withResolvers<void>()
    const inner = createMemoryEngineStore()
    let attempts = 0
    const store: EngineStore = {
      ...inner,
      async write(change) {
        const isEffect = (change.addEgresses ?? []).length > 0
        if (isEffect && ++attempts === 1) return { kind: 'failed', isCertain: true, detail: 'the disk is full' }
        if (isEffect) await gate.promise
        await inner.write(change)
        return { kind: 'committed' }
      },
    }
    const { send, answered, egresses, endpoint } = await startLab(counter, { store })
    await send('a', 'x')
    await until('the second attempt', () => attempts === 2)
    expect([egresses.length, inner.values('4:1:test/f/a').size]).toEqual([0, 0])
    gate.resolve()
    expect(await answered(1)).toEqual(['a:1'])
    expect(endpoint.batches).toHaveLength(2)
  })

  it('lets no message in', async () => {
    const store = failing(1, ({ addMessages = [] }) => addMessages.length > 0)
    const { send, endpoint } = await startLab(counter, { store })
    expect(await send('a', 'x')).toMatchObject({ kind: 'not-sent', cause: 'runtime-unavailable' })
    expect(endpoint.batches).toEqual([])
    expect(await send('a', 'y')).toEqual({ kind: 'acknowledged' })
  })

  it('leaves in doubt what it may have kept', async () => {
    const store = failing(1, ({ addMessages = [] }) => addMessages.length > 0, false)
    const { send } = await startLab(counter, { store })
    expect(await send('a', 'x')).toMatchObject({ kind: 'unknown', detail: expect.stringContaining('the disk is full') })
  })
})

describe('closing', () => {
  it('lets calls under way end, begins no other, and takes none', async () => {
    const gate = Promise.withResolvers<void>()
    const { send, engine, egresses, endpoint } = await startLab(async (batch) => {
      await gate.promise
      return done({ outgoingEgresses: texts(batch).map((text) => egress('a', text)) })
    })
    await send('a', '1')
    await send('a', '2')
    await until('the first', () => endpoint.batches.length === 1)
    const closed = engine.close()
    expect(await send('a', '3')).toMatchObject({ kind: 'not-sent', cause: 'shutting-down' })
    gate.resolve()
    await closed
    await engine.close()
    expect(egresses).toEqual(['a:1'])
    expect(endpoint.batches).toHaveLength(1)
  })

  it('does not wait for a function that never answers', async () => {
    const { send, engine } = await startLab(() => new Promise<Answer>(() => undefined), {
      callTimeoutMs: 60_000,
      drainMs: 20,
    })
    await send('a', '1')
    await engine.close()
    expect(engine.isOpen).toBe(false)
  })
})
