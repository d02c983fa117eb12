import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import type { InvocationStore } from '../../../src/routes/invocation-store.ts'
import { until } from '../../helpers/until.ts'
import { answered, ask, build, heldBack } from './kept.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('what is written of a call', () => {
  it('does not hold up the answer, and is waited for by a replica that stops', async () => {
    const { promise: written, resolve: write } = Promise.withResolvers<boolean>()
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const app = build({ store: { ...memory, finish: () => written } })
    app.answer(answered(3))
    expect((await ask(app, { key: 'k' })).statusCode).toBe(200)
    const order: string[] = []
    const settled = app.answering.settled().then(() => order.push('settled'))
    await new Promise(setImmediate)
    order.push('written')
    write(true)
    await settled
    expect(order).toEqual(['written', 'settled'])
  })

  it('is waited for by a replica that stops for two seconds, and no longer', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const app = build({ store: { ...memory, finish: () => new Promise(() => undefined) } })
    app.answer(answered(3))
    await ask(app, { key: 'k' })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let isSettled = false
    const settled = app.answering.settled().then(() => {
      isSettled = true
    })
    await vi.advanceTimersByTimeAsync(1_999)
    expect(isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await settled
  })

  it('says at the end, too, that the runtime has a call that goes on', async () => {
    const accept = vi.fn<InvocationStore['accept']>(async () => undefined)
    const app = build({ store: { ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }), accept } })
    app.answer(heldBack({ accepted: true }).answer)
    await app.app.ready()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    void ask(app, { key: 'k' })
    for (let turn = 0; turn < 1_000 && app.invocations.length === 0; turn++) await new Promise(setImmediate)
    expect(accept).not.toHaveBeenCalled()
    await app.answering.settled()
    expect(accept).toHaveBeenCalledWith(app.invocations[0]?.id)
  })

  it('says once of each call that the runtime has it, and not of one that is answered already', async () => {
    const accept = vi.fn<InvocationStore['accept']>(async () => undefined)
    const app = build({ store: { ...createMemoryStore({ retentionMs: 60_000, maxRecords: 10 }), accept } })
    app.answer(heldBack({ accepted: true }).answer)
    for (const [calls, key] of [
      [1, 'k'],
      [2, 'l'],
    ] as const) {
      void ask(app, { key })
      await until('it is said', () => app.invocations.length === calls && accept.mock.calls.length >= calls)
    }
    app.answer(async ({ onAccepted }) => {
      onAccepted?.()
      return answered(1)
    })
    await ask(app, { key: 'm' })
    await app.answering.settled()
    expect(accept.mock.calls.map(([id]) => id)).toEqual(app.invocations.slice(0, 2).map(({ id }) => id))
  })

  it('leaves no timer behind once its caller is answered', async () => {
    const app = build()
    app.answer(answered(3))
    await app.app.ready()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    for (const asking of [{ key: 'k' }, { prefer: 'respond-async, wait=9' }]) {
      expect((await ask(app, asking)).statusCode).toBe(200)
      expect(vi.getTimerCount()).toBe(0)
    }
  })

  it('frees the key of a call that was not sent before its caller can use it again', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    let isReleased = false
    const release = async () => {
      await pause(100)
      isReleased = true
    }
    const app = build({ store: { ...memory, release } })
    app.answer({ kind: 'not-sent', cause: 'runtime-unavailable', detail: 'Away.' })
    expect((await ask(app, { key: 'k' })).statusCode).toBe(503)
    expect(isReleased).toBe(true)
  })

  it('is not waited for by the caller of a call that was not sent where the store hangs', async () => {
    const memory = createMemoryStore({ retentionMs: 60_000, maxRecords: 10 })
    const app = build({ store: { ...memory, release: () => new Promise(() => undefined) } })
    app.answer({ kind: 'not-sent', cause: 'runtime-unavailable', detail: 'Away.' })
    let status: number | undefined
    void ask(app, { key: 'k' }).then(({ statusCode }) => {
      status = statusCode
    })
    await until('he is answered', () => status === 503, 5_000)
  })
})
