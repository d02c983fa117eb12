import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TObject, type TProperties, type TString, Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineEntity } from '../../../src/runtime-adapters/embedded/define-entity.ts'
import { SqliteStateStore } from '../../../src/runtime-adapters/embedded/sqlite-state-store.ts'
import { createCaller } from '../../conformance/caller.ts'
import { type EmbeddedRuntimeOptions, embeddedRuntime } from '../../conformance/embedded-runtime.ts'
import { Probe } from './lab.ts'

describe('a data folder', () => {
  let folder: string
  const closers: (() => Promise<void>)[] = []
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'folder-'))
  })
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
    rmSync(folder, { recursive: true })
  })

  const open = async (options: EmbeddedRuntimeOptions = { definitions: [Probe], dataFolder: folder }) => {
    const made = embeddedRuntime(options)
    closers.push(() => made.adapter.close())
    await made.adapter.start()
    return { ...made, caller: createCaller(made) }
  }

  it('gives back what was answered, digit for digit', async () => {
    const first = await open()
    await first.caller.create('Probe', { id: 'a' })
    await first.caller.call('Probe', 'a', 'set_big', { x: 2n ** 62n + 1n })
    await first.caller.call('Probe', 'a', 'set_ratio', { x: 1e20 })
    await first.caller.writeAttribute('Probe', 'a', 'any', { 'ключ "\\ \u{1f511}': [1.5, null, 2n ** 60n] })
    const before = await first.caller.readState('Probe', 'a')
    await first.adapter.close()
    const second = await open()
    expect(await second.caller.readState('Probe', 'a')).toEqual(before)
    expect(await second.caller.call('Probe', 'a', 'set_big', { x: 1 })).toEqual({ kind: 'returned', value: 'bigint 1' })
  })

  it('commits the calls of one tick together', async () => {
    const { adapter, caller } = await open()
    await caller.create('Probe', { id: 'a' })
    const before = adapter.counters().commits
    const calls = Array.from({ length: 100 }, () => caller.call('Probe', 'a', 'add', { x: 1 }))
    expect((await Promise.all(calls)).at(-1)).toEqual({ kind: 'returned', value: 100 })
    expect(adapter.counters().commits).toBe((before ?? 0) + 1)
  })

  it('does not write for calls that change nothing', async () => {
    const { adapter, caller } = await open()
    await caller.create('Probe', { id: 'a' })
    const before = adapter.counters().commits
    await caller.call('Probe', 'a', 'add', { x: 0 })
    await caller.call('Probe', 'a', 'notes')
    expect(adapter.counters().commits).toBe(before)
  })

  it('is refused to a second runtime, and free again when the first has closed', async () => {
    const { adapter } = await open()
    await expect(open()).rejects.toThrow(`The data folder ${folder} is in use by another process.`)
    await adapter.close()
    await expect(open()).resolves.toBeDefined()
  })

  it('is refused when another version of the program wrote it', async () => {
    const { adapter } = await open()
    await adapter.close()
    const database = new DatabaseSync(join(folder, 'entities.sqlite'))
    database.exec(`UPDATE meta SET value = '99'`)
    database.close()
    await expect(open()).rejects.toThrow('is of version 99; this program reads version 1.')
  })

  it('tells all calls of a failed commit that nothing happened, and forgets what they wrote', async () => {
    const store = new SqliteStateStore({ folder, maxPages: 12 })
    const { adapter, caller } = await open({ definitions: [Probe], store })
    await caller.create('Probe', { id: 'a' })
    const outcomes = await Promise.all([
      caller.call('Probe', 'a', 'add', { x: 1 }),
      caller.call('Probe', 'a', 'note', { text: 'x'.repeat(100_000) }),
      caller.readState('Probe', 'a'),
    ])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        kind: 'not-sent',
        cause: 'runtime-unavailable',
        detail: expect.stringContaining('full'),
      })
    }
    expect(await caller.readState('Probe', 'a')).toMatchObject({ kind: 'returned', value: { count: 0, notes: [] } })
    expect(await caller.call('Probe', 'a', 'add', { x: 5 })).toEqual({ kind: 'returned', value: 5 })
    expect((await adapter.health()).map(({ ok }) => ok)).toEqual([true])
    expect(adapter.counters()).toMatchObject({ failedCommits: 1 })
  })

  it('is healthy again as soon as it can be written to again', async () => {
    const store = new SqliteStateStore({ folder, maxPages: 12 })
    const { adapter, caller } = await open({ definitions: [Probe], store })
    await caller.create('Probe', { id: 'a' })
    await caller.call('Probe', 'a', 'note', { text: 'x'.repeat(100_000) })
    expect(adapter.counters()).toMatchObject({ failedCommits: 1 })
    expect(await adapter.health()).toEqual([{ name: 'store', ok: true, detail: `states are kept in ${folder}` }])
  })

  it('is not healthy for as long as it can’t be written to', async () => {
    const { adapter, caller } = await open()
    await caller.create('Probe', { id: 'a' })
    const exec = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(() => {
      throw new Error('the disk is gone')
    })
    try {
      expect(await caller.call('Probe', 'a', 'add', { x: 1 })).toMatchObject({ kind: 'not-sent' })
      const detail = 'the last commit failed: the disk is gone'
      for (let asked = 0; asked < 2; asked++)
        expect(await adapter.health()).toEqual([{ name: 'store', ok: false, detail }])
    } finally {
      exec.mockRestore()
    }
    expect(await adapter.health()).toMatchObject([{ ok: true }])
    expect(await caller.call('Probe', 'a', 'add', { x: 1 })).toEqual({ kind: 'returned', value: 1 })
  })

  it('keeps and answers what was called for when it is closed', async () => {
    const { adapter, caller } = await open()
    await caller.create('Probe', { id: 'a' })
    const call = caller.call('Probe', 'a', 'add', { x: 1 })
    await adapter.close()
    expect(await call).toEqual({ kind: 'returned', value: 1 })
    const again = await open()
    expect(await again.caller.readState('Probe', 'a')).toMatchObject({ value: { count: 1 } })
  })

  it('shows the same after another start, where an optional attribute with a default was left out', async () => {
    const note = defineEntity({
      name: 'Note',
      key: 'id',
      state: Type.Object({ id: Type.String(), text: Type.Optional(Type.String({ default: 'empty' })) }),
      create: { params: { id: Type.String() }, init: ({ id }) => ({ id }) },
      methods: () => ({}),
    })
    const state = { kind: 'returned', value: { id: 'a' } }
    const first = await open({ definitions: [note], dataFolder: folder })
    await first.caller.create('Note', { id: 'a' })
    expect(await first.caller.readState('Note', 'a')).toEqual(state)
    await first.adapter.close()
    const { caller } = await open({ definitions: [note], dataFolder: folder })
    expect(await caller.readState('Note', 'a')).toEqual(state)
  })

  describe('whose entities were defined otherwise', () => {
    const thing = (extra: TProperties) =>
      defineEntity({
        name: 'Thing',
        key: 'id',
        // Whatever is added, `id` is there.
        state: Type.Object({ ...extra, id: Type.String() }) as TObject<{ id: TString }>,
        create: { params: { id: Type.String() }, init: ({ id }) => JSON.parse(JSON.stringify({ id, size: 1 })) },
        methods: (method) => ({
          look: method({ returns: Type.Integer(), readOnly: true }, (self) => Object.values(self).length),
        }),
      })
    const definitionsOf = (extra: TProperties) => ({ definitions: [thing(extra)], dataFolder: folder })

    beforeEach(async () => {
      const { adapter, caller } = await open(definitionsOf({ size: Type.Integer() }))
      expect(await caller.create('Thing', { id: 'a' })).toMatchObject({ kind: 'created' })
      await adapter.close()
    })

    it.each([
      [
        'an attribute without a default is new',
        { size: Type.Integer(), colour: Type.String() },
        'Thing a: Thing.colour is missing.',
      ],
      ['an attribute has another type', { size: Type.String() }, 'Thing a: Thing.size must be string.'],
    ])('does not start when %s', async (_what, extra, message) => {
      await expect(open(definitionsOf(extra))).rejects.toThrow(message)
    })

    it('fills in the default of a new attribute', async () => {
      const { caller } = await open(definitionsOf({ size: Type.Integer(), colour: Type.String({ default: 'red' }) }))
      expect(await caller.readState('Thing', 'a')).toEqual({
        kind: 'returned',
        value: { id: 'a', size: 1, colour: 'red' },
      })
    })

    it('keeps what was written, also where it was the default of that day', async () => {
      const colour = (value: string) => definitionsOf({ size: Type.Integer(), colour: Type.String({ default: value }) })
      const first = await open(colour('red'))
      await first.caller.writeAttribute('Thing', 'a', 'colour', 'red')
      await first.adapter.close()
      const { caller } = await open(colour('blue'))
      expect(await caller.readAttribute('Thing', 'a', 'colour')).toEqual({ kind: 'returned', value: 'red' })
    })

    it('does not write a default that was only read', async () => {
      const { adapter, caller } = await open(
        definitionsOf({ size: Type.Integer(), tags: Type.Array(Type.String(), { default: ['new'] }) }),
      )
      expect(await caller.call('Thing', 'a', 'look')).toEqual({ kind: 'returned', value: 2 + 1 })
      expect(adapter.counters()).toMatchObject({ commits: 0 })
    })

    it('does not start when another attribute is the key', async () => {
      const other = defineEntity({
        name: 'Thing',
        key: 'size',
        state: Type.Object({ id: Type.String(), size: Type.Integer() }),
        create: { params: { size: Type.Integer() }, init: ({ size }) => ({ id: '', size }) },
        methods: () => ({}),
      })
      await expect(open({ definitions: [other], dataFolder: folder })).rejects.toThrow(
        'Thing a: it was stored under this key, but Thing.size is 1.',
      )
    })

    it('does not show an attribute that is gone', async () => {
      const { caller } = await open(definitionsOf({}))
      expect(await caller.readState('Thing', 'a')).toEqual({ kind: 'returned', value: { id: 'a' } })
    })
  })
})
