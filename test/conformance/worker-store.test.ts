import { afterEach, describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../src/gateway/invocations/memory-store.ts'
import { StoreUnavailable } from '../../src/routes/invocation-store.ts'
import { runningRecord, storedAnswer } from '../helpers/invocation-records.ts'
import { makeWorkerStore, makeWorkerStores } from '../helpers/worker-stores.ts'
import { describeInvocationStore } from './invocation-store.ts'

describeInvocationStore('the store of workers', makeWorkerStores)

describe('the store of workers', () => {
  const closers: (() => void)[] = []
  afterEach(() => {
    for (const close of closers.splice(0)) close()
  })
  const memory = () => createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })

  function make(settings: Parameters<typeof makeWorkerStore>[0]) {
    const made = makeWorkerStore(settings)
    closers.push(made.close)
    return made
  }

  it('says that it can’t be reached within a second while the primary is silent, whatever it is asked', async () => {
    const { promise: isSilentUntil, resolve: speak } = Promise.withResolvers<void>()
    const { store } = make({ store: memory(), isSilentUntil })
    const began = performance.now()
    const asked = [
      store.open(runningRecord(), 'scope'),
      store.read('id'),
      store.accept('id'),
      store.finish('id', storedAnswer('1')),
      store.release('id', undefined, storedAnswer('1')),
      store.waitFor('id', Date.now() + 60_000),
      store.waitForAcceptance('id', Date.now() + 60_000),
      store.beat('aaaaaa'),
    ]
    const results = await Promise.allSettled(asked)
    for (const result of results) {
      expect(result.status === 'rejected' ? result.reason : result).toBeInstanceOf(StoreUnavailable)
    }
    expect(await store.health()).toMatchObject({ ok: false })
    expect(performance.now() - began).toBeLessThan(3_000)
    speak()
  })

  it('gives the scope of an open back that the primary took too late', async () => {
    const { promise: isSilentUntil, resolve: speak } = Promise.withResolvers<void>()
    const { store } = make({ store: memory(), isSilentUntil })
    await expect(store.open(runningRecord(), 'scope')).rejects.toThrow(StoreUnavailable)
    speak()
    expect(await store.open(runningRecord(), 'scope')).toEqual({ kind: 'opened' })
  })

  it('forgets what was opened without a scope, and that the primary took too late', async () => {
    const { promise: isSilentUntil, resolve: speak } = Promise.withResolvers<void>()
    const { store } = make({ store: memory(), isSilentUntil })
    const record = runningRecord()
    await expect(store.open(record, undefined)).rejects.toThrow(StoreUnavailable)
    speak()
    expect(await store.read(record.id)).toBeUndefined()
  })

  it('queues no more for a silent primary than its bounds', async () => {
    const { promise: isSilentUntil, resolve: speak } = Promise.withResolvers<void>()
    const { store } = make({ store: memory(), isSilentUntil, limits: { maxQuestions: 2, maxBytes: 1_000_000 } })
    const early = [store.read('a'), store.read('b')].map((one) => one.catch((error: unknown) => error))
    const began = performance.now()
    await expect(store.read('c')).rejects.toThrow(StoreUnavailable)
    expect(performance.now() - began).toBeLessThan(500)
    await Promise.all(early)
    // Given up, they still lie in the channel.
    await expect(store.read('d')).rejects.toThrow('2 questions wait')
    speak()
    await expect.poll(() => store.read('e').catch(() => 'refused')).toBeUndefined()
  })

  it('counts the bytes of answers that wait for a silent primary', async () => {
    const { store } = make({ store: memory(), limits: { maxQuestions: 10, maxBytes: 10_000 } })
    await expect(store.finish('a', storedAnswer('x'.repeat(5_000)))).rejects.toThrow(StoreUnavailable)
    expect(await store.finish('a', storedAnswer('x'.repeat(1_000)))).toBe(false)
  })

  it('tells a store that is full from one that is away', async () => {
    const { store } = make({ store: createMemoryStore({ retentionMs: 60_000, maxRecords: 1 }) })
    await store.open(runningRecord(), undefined)
    await expect(store.open(runningRecord(), undefined)).rejects.toThrow('1 invocations are kept already.')
  })

  it('leaves nobody waiting when the primary ends', async () => {
    const { store, cut } = make({ store: memory() })
    const record = runningRecord()
    await store.open(record, undefined)
    const waiting = store.waitFor(record.id, Date.now() + 60_000)
    await store.read(record.id)
    cut()
    expect(await waiting).toBeUndefined()
    await expect(store.read(record.id)).rejects.toThrow(StoreUnavailable)
  })

  it('lets the primary forget who waits no more', async () => {
    const behind = memory()
    const aborted = Promise.withResolvers<void>()
    const watched = {
      ...behind,
      waitFor: (id: string, untilMs: number, signal?: AbortSignal) => {
        signal?.addEventListener('abort', () => aborted.resolve())
        return behind.waitFor(id, untilMs, signal)
      },
    }
    const { store } = make({ store: watched })
    const record = runningRecord()
    await store.open(record, undefined)
    const caller = new AbortController()
    const waiting = store.waitFor(record.id, Date.now() + 60_000, caller.signal)
    await store.read(record.id)
    caller.abort()
    expect(await waiting).toBeUndefined()
    await aborted.promise
  })
})
