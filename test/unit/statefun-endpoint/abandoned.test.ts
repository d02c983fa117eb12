import { describe, expect, it } from 'vitest'
import type { CommitResult } from '../../../src/runtime-adapters/sqlite/transaction.ts'
import type { DelayedMessage } from '../../../src/runtime-adapters/statefun/protobuf.ts'
import {
  createMemoryEngineStore,
  type EngineStore,
} from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import { until } from '../../helpers/until.ts'
import { startLab } from './engine-lab.ts'
import { type Behaviour, done, egress, texts, to } from './scripted-endpoint.ts'

describe('what a store never takes', () => {
  type Refuses = (change: Parameters<EngineStore['write']>[0]) => boolean

  /** Takes everything but that, as a disk does whose quota a large value would break. */
  function picky(refuses: Refuses, isOk = () => true) {
    const store = createMemoryEngineStore()
    const failure: CommitResult = { kind: 'failed', isCertain: true, detail: 'too large for the disk' }
    const broken: EngineStore = {
      ...store,
      health: () => ({ ok: isOk(), detail: 'picky' }),
      write(change) {
        if (refuses(change)) return Promise.resolve(failure)
        return Promise.resolve(store.write(change)).then(() => ({ kind: 'committed' as const }))
      },
    }
    return broken
  }

  const answers: Behaviour = (batch) => done({ outgoingEgresses: texts(batch).map((text) => egress('a', text)) })
  const token = { cancellationToken: 'fired' }
  const nothing = { target: null, argument: null }
  const refusesAnswer =
    (text: string): Refuses =>
    ({ addEgresses = [] }) =>
      addEgresses.some(({ value }) => value.toString() === text)

  it('is abandoned in the end: its call learns that nobody knows, the next goes on, and the health check says it', async () => {
    const { send, answered, failed, engine } = await startLab(answers, {
      store: picky(refusesAnswer('large')),
      storePatienceMs: 50,
    })
    await send('a', 'large')
    expect(await failed('large')).toEqual({
      kind: 'unknown',
      cause: 'connection-lost',
      detail: 'test/f/a: What it has done can’t be kept.',
      isFinal: true,
    })
    await send('a', 'small')
    expect(await answered(1)).toEqual(['a:small'])
    const bad = engine.health().filter(({ ok }) => !ok)
    expect(bad).toMatchObject([{ essential: false, detail: expect.stringContaining('too large for the disk') }])
  })

  it('is not abandoned while the store takes nothing at all', async () => {
    let isBroken = true
    let attempts = 0
    const store = picky(
      ({ removeMessages = [] }) => isBroken && removeMessages.length > 0 && ++attempts > 0,
      () => !isBroken,
    )
    const { send, answered, engine, failures } = await startLab(answers, { store, storePatienceMs: 1 })
    await send('a', 'x')
    await until('several attempts', () => attempts >= 3)
    isBroken = false
    expect(await answered(1)).toEqual(['a:x'])
    expect([failures.size, engine.health().filter(({ ok }) => !ok)]).toEqual([0, []])
  })

  it('leaves a delayed message that it was to cancel', async () => {
    const arms: DelayedMessage = { ...to('a', 'fired'), delayInMs: 150, ...token, isCancellationRequest: false }
    const cancels: DelayedMessage = { ...nothing, delayInMs: 0, ...token, isCancellationRequest: true }
    const wishes = new Map([
      ['arm', arms],
      ['cancel', cancels],
    ])
    const { send, answered, failed } = await startLab(
      (batch) =>
        done({
          delayedInvocations: texts(batch).flatMap((text) => wishes.get(text) ?? []),
          outgoingEgresses: texts(batch).map((text) => egress('a', text)),
        }),
      { store: picky(refusesAnswer('cancel')), storePatienceMs: 1 },
    )
    await send('a', 'arm')
    await answered(1)
    await send('a', 'cancel')
    expect(await failed('cancel')).toMatchObject({ kind: 'unknown' })
    expect(await answered(2)).toEqual(['a:arm', 'a:fired'])
  })

  it('may be a state that can’t be read: its function is not called', async () => {
    const store = createMemoryEngineStore()
    const values: EngineStore['values'] = (place) => {
      if (place.endsWith('bad')) throw new Error('the file is damaged')
      return store.values(place)
    }
    const lab = await startLab(answers, { store: { ...store, values }, storePatienceMs: 50 })
    await lab.send('bad', 'x')
    await lab.send('good', 'y')
    expect(await lab.answered(1)).toEqual(['a:y'])
    expect(await lab.failed('x')).toMatchObject({ kind: 'unknown', detail: 'test/f/bad: Its state can’t be read.' })
    expect(lab.endpoint.batches).toHaveLength(1)
  })
})
