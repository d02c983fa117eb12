import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it, vi } from 'vitest'
import type { Change, StateEntry } from '../../../src/runtime-adapters/statefun-endpoint/engine-store.ts'
import type { Message } from '../../../src/runtime-adapters/statefun-endpoint/message.ts'
import { SqliteEngineStore } from '../../../src/runtime-adapters/statefun-endpoint/sqlite-engine-store.ts'
import { createTemporaryFolder } from '../../helpers/temporary-folder.ts'

const root = createTemporaryFolder()
let folders = 0
afterAll(() => root.close())

const newFolder = () => `${root.path}/${folders++}`

function typed(text: string | undefined) {
  return { typename: 't', hasValue: text !== undefined, value: Buffer.from(text ?? '') }
}

function message(seq: number, more: Partial<Message> = {}): Message {
  const target = { namespace: 'test', type: 'f', id: 'a"/\u0000é' }
  return { seq, target, caller: null, argument: typed('x'), origin: undefined, isFirst: false, ...more }
}

describe('a store in a folder', () => {
  it('gives back all that is not finished to the last byte, nothing that is, and numbers that are free', async () => {
    const folder = newFolder()
    const store = new SqliteEngineStore({ folder })
    expect(store.open()).toEqual({ messages: [], delays: [], egresses: [], nextSeq: 1 })
    const entry = (text: string | undefined, expiresAtMs?: number): StateEntry => ({ value: typed(text), expiresAtMs })
    const caller = { namespace: '', type: 'g', id: '' }
    const messages = [message(1, { caller, origin: 'call' }), message(2, { argument: typed(undefined) }), message(3)]
    const delays = [4, 5].map((seq) => ({ seq, dueMs: 9_000_000_000 + seq, token: `${seq}`, message: message(seq) }))
    const egresses = [6, 7].map((seq) => ({ seq, topic: 'out', key: Buffer.alloc(0), value: Buffer.from([0, seq]) }))
    const added: Change = {
      ...{ addMessages: messages, addDelays: delays, addEgresses: egresses },
      values: [
        { place: 'p', name: 'kept', entry: entry('', 4_000_000_000_000) },
        { place: 'p', name: 'empty', entry: entry(undefined) },
        { place: 'p', name: 'gone', entry: entry('1') },
        { place: 'q', name: 'other', entry: entry('2') },
      ],
    }
    const removed: Change = {
      ...{ removeMessages: [3], removeDelays: [4], removeEgresses: [6] },
      values: [{ place: 'p', name: 'gone', entry: undefined }],
    }
    for (const change of [added, removed]) expect(await store.write(change)).toEqual({ kind: 'committed' })
    store.close()
    const again = new SqliteEngineStore({ folder })
    expect(again.open()).toEqual({
      messages: messages.slice(0, 2),
      delays: delays.slice(1),
      egresses: egresses.slice(1),
      nextSeq: 8,
    })
    expect(Object.fromEntries(again.values('p'))).toEqual({
      kept: entry('', 4_000_000_000_000),
      empty: entry(undefined),
    })
    again.close()
  })

  it('is not healthy for as long as the folder can’t be written to', () => {
    const store = new SqliteEngineStore({ folder: newFolder() })
    store.open()
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => {
      throw new Error('the disk is gone')
    })
    try {
      store.dropExpired(Date.now())
      const detail = 'the last commit failed: the disk is gone'
      for (let asked = 0; asked < 2; asked++) expect(store.health()).toEqual({ ok: false, detail })
    } finally {
      exec.mockRestore()
    }
    expect(store.health()).toMatchObject({ ok: true })
    store.close()
    expect(store.health()).toEqual({ ok: false, detail: 'the data folder is not open' })
  })

  const changeOf = (name: string, text: string) => {
    const value = { typename: 't', hasValue: true, value: Buffer.from(text) }
    return { values: [{ place: 'p', name, entry: { value, expiresAtMs: undefined } }] }
  }

  it('keeps what there is room for beside what there is none for, and nothing by halves', async () => {
    const store = new SqliteEngineStore({ folder: newFolder(), maxPages: 40 })
    store.open()
    const large = { values: [...changeOf('part', '1').values, ...changeOf('large', 'x'.repeat(1_000_000)).values] }
    const results = await Promise.all([changeOf('a', '1'), large, changeOf('b', '1')].map((one) => store.write(one)))
    expect(results).toMatchObject([{ kind: 'committed' }, { kind: 'failed', isCertain: true }, { kind: 'committed' }])
    expect([...store.values('p').keys()].toSorted()).toEqual(['a', 'b'])
    store.close()
  })

  it('tries none of what it may have kept by itself', async () => {
    const store = new SqliteEngineStore({ folder: newFolder() })
    store.open()
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => {
      throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
    })
    try {
      const results = await Promise.all([store.write(changeOf('a', '1')), store.write(changeOf('b', '1'))])
      expect(results).toMatchObject(results.map(() => ({ kind: 'failed', isCertain: false })))
      expect(store.counters()).toMatchObject({ failedCommits: 1 })
    } finally {
      exec.mockRestore()
    }
    store.close()
  })

  it('keeps what it was given in the moment of its end', async () => {
    const folder = newFolder()
    const store = new SqliteEngineStore({ folder })
    store.open()
    const written = store.write(changeOf('n', '1'))
    store.close()
    expect(await written).toEqual({ kind: 'committed' })
    const again = new SqliteEngineStore({ folder })
    again.open()
    expect(String(again.values('p').get('n')?.value.value)).toBe('1')
    again.close()
  })
})
