import { Type } from 'typebox'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RuntimeAdapter } from '../../../src/runtime-adapters/contract.ts'
import { defineEntity } from '../../../src/runtime-adapters/embedded/define-entity.ts'
import { createMemoryStore } from '../../../src/runtime-adapters/embedded/state-store.ts'
import { type Caller, createCaller, methodTarget } from '../../conformance/caller.ts'
import { embeddedRuntime } from '../../conformance/embedded-runtime.ts'
import { kept, oddErrorNames, Probe, wildNames } from './lab.ts'

const rejected = () => Promise.reject(new Error('nobody waits for this'))

describe('a call in the embedded runtime', () => {
  let adapter: RuntimeAdapter
  let caller: Caller
  const call = (method: string, args?: Record<string, unknown>, key = 'a') => caller.call('Probe', key, method, args)
  const count = () => caller.readAttribute('Probe', 'a', 'count')

  beforeEach(async () => {
    const made = embeddedRuntime({ definitions: [Probe] })
    adapter = made.adapter
    caller = createCaller(made)
    await adapter.start()
    for (const id of ['a', 'b']) await caller.create('Probe', { id })
  })
  afterEach(() => adapter.close())

  it('raises under the name and with the data of an EntityError, and keeps nothing', async () => {
    expect(await call('refuse')).toEqual({ kind: 'raised', name: 'Refused', message: 'not today', data: { at: -1 } })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it('raises under the class and message of any other error, never its stack', async () => {
    expect(await call('break')).toEqual({ kind: 'raised', name: 'BrokenGlass', message: 'shards' })
    expect(await call('throw_text')).toEqual({ kind: 'raised', message: 'plain text' })
    expect(await call('notes')).toEqual({ kind: 'returned', value: [] })
  })

  it('raises when a method returns a promise, and is not upset by what becomes of it', async () => {
    expect(await call('later')).toMatchObject({
      kind: 'raised',
      message: expect.stringContaining('must be synchronous'),
    })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it.each([
    ['promise_args', 'Probe.label was called with a promise; it must be synchronous.'],
    ['promise_key', 'A key is a string or an exact integer, not object.'],
    ['promise_notes', 'Probe.notes.0 is of the class Promise; entities keep and return plain JSON data.'],
  ])(
    'raises when a method puts a promise where a value should be, and is not upset by what becomes of it: %s',
    async (method, message) => {
      expect(await call(method)).toMatchObject({ kind: 'raised', message })
    },
  )

  it.each<[string, () => unknown]>([
    ['Hasty: `init` returned a promise; it must be synchronous.', rejected],
    ['Hasty.first is of the class Promise', () => ({ id: 'c', first: rejected(), second: [rejected(), rejected()] })],
  ])('raises when an `init` returns a promise, and is not upset by what becomes of it: %s', async (message, init) => {
    const state = Type.Object({ id: Type.String(), first: Type.Unknown(), second: Type.Unknown() })
    const create = { params: { id: Type.String() }, init: init as () => never }
    const hasty = defineEntity({ name: 'Hasty', key: 'id', state, create, methods: () => ({}) })
    const made = embeddedRuntime({ definitions: [hasty] })
    await made.adapter.start()
    expect(await createCaller(made).create('Hasty', { id: 'c' })).toMatchObject({
      kind: 'raised',
      message: expect.stringContaining(message),
    })
    await made.adapter.close()
  })

  it('takes optional arguments of names that every object inherits', async () => {
    const params = { id: Type.String(), constructor: Type.Optional(Type.String()) }
    const definition = defineEntity({
      name: 'Named',
      key: 'id',
      state: Type.Object(params),
      create: { params, init: (args) => ({ ...args }) },
      methods: (method) => ({
        names: method({ params, returns: Type.Array(Type.String()) }, (_self, args) => Object.keys(args)),
      }),
    })
    const made = embeddedRuntime({ definitions: [definition] })
    await made.adapter.start()
    const named = createCaller(made)
    expect(await named.create('Named', { id: 'a' })).toEqual({ kind: 'created', key: 'a' })
    expect(await named.call('Named', 'a', 'names', { id: 'x' })).toEqual({ kind: 'returned', value: ['id'] })
    expect(await named.readAttribute('Named', 'a', 'constructor')).toEqual({ kind: 'returned', value: null })
    expect(await named.readState('Named', 'a')).toEqual({ kind: 'returned', value: { id: 'a' } })
    await made.adapter.close()
  })

  it.each(oddErrorNames)('raises whatever was thrown, and keeps nothing: %s', async (what) => {
    expect(await call('throw_odd', { what })).toMatchObject({ kind: 'raised', message: expect.any(String) })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it.each(wildNames)('stores and returns nothing that is not plain data: %s', async (what) => {
    expect(await call('keep', { what })).toMatchObject({
      kind: 'raised',
      message: expect.stringContaining('Probe.any'),
    })
    expect(await call('give', { what })).toMatchObject({
      kind: 'raised',
      message: expect.stringContaining('plain JSON'),
    })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it.each([
    ['lie', 'the value that Probe.lie returned must be integer.'],
    ['widen', 'Probe.count must be integer.'],
    ['rename', 'Probe "a": the key "id" can’t be changed.'],
    ['invent', 'Probe has no attribute "colour".'],
    ['pretend', 'Probe.pretend is declared read-only, but it changed something.'],
    ['pretend_back', 'Probe.pretend_back is declared read-only, but it changed something.'],
  ])('raises and keeps nothing when a method breaks its own promises: %s', async (method, message) => {
    expect(await call(method)).toMatchObject({ kind: 'raised', message })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it('lets nobody hold a piece of the state', async () => {
    const first = await call('note', { text: 'one' })
    if (first.kind === 'returned' && Array.isArray(first.value)) first.value.push('forged')
    expect(await call('note', { text: 'two' })).toEqual({ kind: 'returned', value: ['one', 'two'] })
  })

  it('lets no method hold a piece of another’s state', async () => {
    expect(await call('forge', { other: 'b' })).toEqual({ kind: 'returned', value: 1 })
    expect(await call('notes', {}, 'b')).toEqual({ kind: 'returned', value: [] })
  })

  it.each([
    ['pretend', {}],
    ['pretend', { caught: true }],
    ['pretend_back', {}],
    ['pretend_and_fail', { caught: true }],
  ])(
    'keeps nothing of a call in which a read-only method of another entity has changed something: %s %j',
    async (method, args) => {
      expect(await call('look_at', { other: 'b', method, ...args })).toMatchObject({
        kind: 'raised',
        name: 'ForbiddenWriteError',
        message: `Probe.${method} is declared read-only, but it changed something.`,
      })
      expect(await count()).toEqual({ kind: 'returned', value: 0 })
      expect(await call('notes', {}, 'b')).toEqual({ kind: 'returned', value: [] })
    },
  )

  it('lets a read-only method see what its caller has changed', async () => {
    expect(await call('look_at', { other: 'a', method: 'notes' })).toMatchObject({ kind: 'returned' })
    expect(await count()).toEqual({ kind: 'returned', value: 1 })
  })

  it('takes values written over HTTP as copies', async () => {
    const notes = ['one']
    await caller.writeAttribute('Probe', 'a', 'notes', notes)
    notes.push('forged')
    expect(await call('notes')).toEqual({ kind: 'returned', value: ['one'] })
  })

  it('refuses to write an attribute with the wrong type, or the key', async () => {
    expect(await caller.writeAttribute('Probe', 'a', 'count', 'x')).toMatchObject({
      kind: 'raised',
      name: 'WrongTypeError',
    })
    expect(await caller.writeAttribute('Probe', 'a', 'id', 'x')).toMatchObject({
      kind: 'raised',
      name: 'ForbiddenWriteError',
    })
  })

  it('reads an optional attribute that is not there as null', async () => {
    const label = () => caller.readAttribute('Probe', 'a', 'label')
    expect(await label()).toEqual({ kind: 'returned', value: null })
    await call('label', { text: 'x' })
    expect(await label()).toEqual({ kind: 'returned', value: 'x' })
    await call('label')
    expect(await label()).toEqual({ kind: 'returned', value: null })
  })

  it('shows a method its whole state', async () => {
    const state = { id: 'a', count: 0, big: 0, ratio: 0, notes: [], any: null }
    expect(await call('show')).toEqual({ kind: 'returned', value: state })
  })

  it.each([5, 5n, 2n ** 62n])('delivers a 64-bit integer as bigint, however small: %s', async (x) => {
    expect(await call('set_big', { x })).toEqual({ kind: 'returned', value: `bigint ${x}` })
  })

  it('delivers a float as number, however large', async () => {
    expect(await call('set_ratio', { x: 10n ** 18n })).toEqual({ kind: 'returned', value: 'number' })
  })

  it('ends a ring of calls, and keeps nothing of it', async () => {
    expect(await call('ring', { other: 'b' })).toMatchObject({ kind: 'raised', name: 'CallDepthError' })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it.each([
    ['add', {}, 'Probe.add: the argument x is missing.'],
    ['add', { x: 'one' }, 'Probe.add: the argument x must be integer.'],
    ['add', { x: 1, y: 2 }, 'Probe.add: there is no argument y.'],
    ['ad', { x: 1 }, 'Probe has no method "ad".'],
    ['lie', {}, 'the value that Probe.lie returned must be integer.'],
  ])('checks what one entity sends another: %s(%j)', async (method, args, message) => {
    expect(await call('add_to', { other: 'b', method, args })).toMatchObject({ kind: 'raised', message })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it('commits what several entities wrote together', async () => {
    expect(await call('add_to', { other: 'b', method: 'add', args: { x: 7 } })).toEqual({ kind: 'returned', value: 7 })
    expect(await count()).toEqual({ kind: 'returned', value: 1 })
    expect(await caller.readAttribute('Probe', 'b', 'count')).toEqual({ kind: 'returned', value: 7 })
  })

  it('lets an entity call itself through another', async () => {
    const args = { other: 'a', method: 'add', args: { x: 10 } }
    expect(await call('add_to', { other: 'b', method: 'add_to', args })).toEqual({ kind: 'returned', value: 11 })
  })

  it('names the missing entity, unless the method asks first', async () => {
    const outcome = await call('add_to', { other: 'ghost', method: 'add', args: { x: 1 } })
    expect(outcome).toMatchObject({ kind: 'rejected', effect: 'none', detail: 'There is no Probe "ghost".' })
    expect(await call('swallow', { other: 'ghost' })).toEqual({ kind: 'returned', value: false })
  })

  it('gives a method nothing to do after its call is over', async () => {
    await call('keep_context')
    expect(() => kept.context?.entity('Probe', 'b').call('add', { x: 1 })).toThrow('This call is over')
  })

  it.each([
    [true, { kind: 'not-sent', cause: 'runtime-unavailable' }, { kind: 'not-sent' }],
    [false, { kind: 'unknown', cause: 'connection-lost', isFinal: true }, { kind: 'not-sent' }],
  ])(
    'tells the truth of a commit that failed (certainly: %s), to writers and to readers',
    async (isCertain, ofWriter, ofReader) => {
      const settled = () => Promise.resolve({ kind: 'failed' as const, isCertain, detail: 'disk on fire' })
      const made = embeddedRuntime({ definitions: [Probe], store: { ...createMemoryStore(), settled } })
      await made.adapter.start()
      const other = createCaller(made)
      expect(await other.create('Probe', { id: 'a' })).toMatchObject(ofWriter)
      expect(await other.find('Probe', 'a')).toMatchObject(ofReader)
      await made.adapter.close()
    },
  )

  it('does not begin a call whose deadline has passed', async () => {
    const invocation = caller.invocation(methodTarget(caller.entity('Probe'), 'a', 'add'), { x: 1 })
    expect(await adapter.invoke({ ...invocation, deadline: Date.now() - 1 })).toMatchObject({ kind: 'not-sent' })
    expect(await count()).toEqual({ kind: 'returned', value: 0 })
  })

  it('says not-sent before it is started', async () => {
    const fresh = embeddedRuntime({ definitions: [Probe] })
    expect(await createCaller(fresh).find('Probe', 'a')).toMatchObject({
      kind: 'not-sent',
      cause: 'runtime-unavailable',
    })
    expect(await fresh.adapter.health()).toEqual([{ name: 'store', ok: false, detail: 'the runtime is not open' }])
  })
})
