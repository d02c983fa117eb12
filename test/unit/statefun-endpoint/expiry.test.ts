import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  createMemoryEngineStore,
  type EngineStore,
} from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import { SqliteEngineStore } from '../../../src/runtime-adapters/statefun-endpoint/sqlite-engine-store.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'
import { startLab } from './engine-lab.ts'
import { done, egress, missing, spec, stateIn, texts, writes } from './scripted-endpoint.ts'

const [NEVER, AFTER_WRITE, AFTER_INVOKE] = [0, 1, 2]

const folder = createTemporaryFolder()
let stores = 0
const kinds: readonly (readonly [string, () => EngineStore])[] = [
  ['in memory', createMemoryEngineStore],
  ['in a folder', () => new SqliteEngineStore({ folder: `${folder.path}/${stores++}` })],
]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(() => folder.close())

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

describe.each(kinds)('a value that expires, %s', (_where, makeStore) => {
  /** `write` writes the value, everything else only reads; the answer is what was there. */
  const lab = (mode: number) =>
    startLab(
      (batch) => {
        if (stateIn(batch, 'v') === null) return missing(spec('v', mode, 1_000))
        const outgoingEgresses = [egress('v', stateIn(batch, 'v') ?? '-')]
        return texts(batch).includes('write')
          ? done({ stateMutations: [writes('v', 'here')], outgoingEgresses })
          : done({ outgoingEgresses })
      },
      { store: makeStore() },
    )

  it('never: is there whatever happens', async () => {
    const { send, answered } = await lab(NEVER)
    await send('a', 'write')
    await answered(1)
    pass(1_000_000_000)
    await send('a', 'read')
    expect((await answered(2)).at(-1)).toBe('v:here')
  })

  it('after a write: reading does not prolong it', async () => {
    const { send, answered } = await lab(AFTER_WRITE)
    await send('a', 'write')
    await answered(1)
    pass(999)
    await send('a', 'read')
    expect((await answered(2)).at(-1)).toBe('v:here')
    pass(1)
    await send('a', 'read')
    expect((await answered(3)).at(-1)).toBe('v:-')
  })

  it('after a write: each write prolongs it', async () => {
    const { send, answered } = await lab(AFTER_WRITE)
    for (let write = 1; write <= 3; write++) {
      await send('a', 'write')
      await answered(write)
      pass(900)
    }
    await send('a', 'read')
    expect((await answered(4)).at(-1)).toBe('v:here')
  })

  it('after an invocation: each batch that is given it prolongs it', async () => {
    const { send, answered } = await lab(AFTER_INVOKE)
    await send('a', 'write')
    await answered(1)
    for (let read = 2; read <= 4; read++) {
      pass(900)
      await send('a', 'read')
      expect((await answered(read)).at(-1)).toBe('v:here')
    }
    pass(1_000)
    await send('a', 'read')
    expect((await answered(5)).at(-1)).toBe('v:-')
  })
})

describe.each(kinds)('values that nobody asks for, %s', (_where, makeStore) => {
  it('are removed when their time is over', async () => {
    const store = makeStore()
    store.open()
    const value = { typename: 't', hasValue: true, value: Buffer.from('x') }
    await store.write({
      values: [
        { place: 'p', name: 'old', entry: { value, expiresAtMs: 10 } },
        { place: 'p', name: 'young', entry: { value, expiresAtMs: 20 } },
        { place: 'p', name: 'eternal', entry: { value, expiresAtMs: undefined } },
      ],
    })
    store.dropExpired(10)
    expect([...store.values('p').keys()].toSorted()).toEqual(['eternal', 'young'])
    store.close()
  })
})
