import { describe, expect, it } from 'vitest'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import { createLineReader } from '../../../src/routes/batch-call.ts'
import { ProblemError } from '../../../src/routes/problem.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'
import { everything } from '../../helpers/scripted-app.ts'

const entities: MetadataDocument['entities'] = [
  {
    name: 'OrderLine',
    key: { name: 'id', schema: { type: 'string' } },
    state: { id: { type: 'string' }, amount: { type: 'integer' } },
    create: { params: [{ name: 'id', schema: { type: 'string' } }] },
    methods: [
      { name: 'add', params: [{ name: 'x', schema: { type: 'integer' } }], returns: { type: 'integer' } },
      { name: 'create', params: [] },
      { name: 'recount', params: [], deadlineMs: 120_000 },
    ],
  },
  {
    name: 'Counter',
    key: { name: 'n', schema: { type: 'integer' } },
    methods: [{ name: 'next', params: [], deadlineMs: 500 }],
  },
  {
    name: 'Ticket',
    key: { name: 'id', schema: { type: 'string' }, generated: true },
    create: { params: [{ name: 'title', schema: { type: 'string' } }] },
    methods: [],
  },
]
const compiled = compiledEntities(...entities)
const capabilitiesOf = () => everything
const options = { entities: compiled, capabilitiesOf, defaultDeadlineMs: 10_000, maxWaitMs: 60_000 }
const read = createLineReader(options)
const readText = (text: string) => read(Buffer.from(text), 7)
const readLine = (line: object) => readText(JSON.stringify(line))

describe('a line that is a call', () => {
  it('names entity, key, method and arguments', () => {
    const line = { id: '1', entity: 'order_line', key: 'a', method: 'add', args: { x: 1 } }
    expect(readLine(line)).toMatchObject({
      kind: 'call',
      place: { kind: 'id', id: '1' },
      lane: 'OrderLine a',
      target: { kind: 'call', key: 'a', method: { name: 'add' } },
      args: { x: 1 },
      deadlineMs: 10_000,
    })
  })

  it('is a creation without a key, in the lane of the entity that it makes', () => {
    expect(readLine({ entity: 'order_line', method: 'create', args: { id: 'a' } })).toMatchObject({
      place: { kind: 'line', number: 7 },
      lane: 'OrderLine a',
      target: { kind: 'create' },
    })
  })

  it('is in no lane where the runtime makes the key', () => {
    expect(readLine({ entity: 'ticket', method: 'create', args: { title: 'a' } })).toMatchObject({
      kind: 'call',
      lane: undefined,
    })
  })

  it.each(['', 'a', 'x'.repeat(255), '😀'.repeat(255), 0, -1])('has its id back: %j', (id) => {
    expect(readLine({ id, entity: 'counter', key: 1, method: 'next' })).toMatchObject({
      kind: 'call',
      place: { kind: 'id', id },
    })
  })

  it('is a method called create with a key', () => {
    expect(readLine({ entity: 'order_line', key: 'a', method: 'create' })).toMatchObject({
      target: { kind: 'call', method: { name: 'create' } },
    })
  })

  it('keeps every digit of its id, its key and its arguments', () => {
    const key = readText('{"id":9007199254740993,"entity":"counter","key":9007199254740995,"method":"next"}')
    expect(key).toMatchObject({ place: { id: 9007199254740993n }, target: { key: 9007199254740995n } })
    const args = readText('{"entity":"order_line","key":"a","method":"add","args":{"x":9007199254740993}}')
    expect(args).toMatchObject({ args: { x: 9007199254740993n } })
  })

  it('has one key for zero and minus zero', () => {
    expect(readText('{"entity":"counter","key":-0,"method":"next"}')).toMatchObject({ target: { key: 0 } })
  })

  it('waits as long as its method may take, where it does not say', () => {
    expect(readLine({ entity: 'counter', key: 1, method: 'next' })).toMatchObject({ deadlineMs: 500 })
  })

  it('waits as long as it says, and never longer than the operator allows', () => {
    const deadlines = [1, 500, 2_000_000_000].map((waitMs) =>
      readLine({ entity: 'counter', key: 1, method: 'next', waitMs }),
    )
    expect(deadlines).toMatchObject([{ deadlineMs: 1 }, { deadlineMs: 500 }, { deadlineMs: 60_000 }])
  })

  it('has the time of its method where it says nothing, also beyond what it may say', () => {
    const recount = { entity: 'order_line', key: 'a', method: 'recount' }
    expect(readLine(recount)).toMatchObject({ deadlineMs: 120_000 })
    expect(readLine({ ...recount, waitMs: 90_000 })).toMatchObject({ deadlineMs: 60_000 })
  })
})

describe('a line that is no call', () => {
  it.each([
    ['{"id":"1",', 'malformed_json', 'The line is not JSON'],
    ['{"id":"\\ud800","entity":"counter"}', 'malformed_json', 'surrogate'],
    ['{"__proto__":1}', 'malformed_json', '__proto__'],
    ['[]', 'validation_failed', 'not a call'],
    ['null', 'validation_failed', 'not a call'],
    ['{"id":true,"entity":"counter","key":1,"method":"next"}', 'validation_failed', 'not a call'],
    ['{"id":1.5,"entity":"counter","key":1,"method":"next"}', 'validation_failed', 'not a call'],
    [`{"id":"${'x'.repeat(256)}","entity":"counter","key":1,"method":"next"}`, 'validation_failed', 'not a call'],
  ])('is refused by its number where no id can be read: %s', (text, code, detail) => {
    expect(readText(text)).toMatchObject({
      kind: 'refused',
      place: { kind: 'line', number: 7 },
      problem: { code, fields: { detail: expect.stringContaining(detail) } },
    })
  })

  const call = { entity: 'order_line', key: 'a', method: 'add', args: { x: 1 } }

  it.each<[string, object, string, string | undefined]>([
    ['an unknown member', { ...call, arg: {} }, 'validation_failed', '#/arg'],
    ['no entity', { ...call, entity: undefined }, 'validation_failed', '#/entity'],
    ['no method', { ...call, method: undefined }, 'validation_failed', '#/method'],
    ['no key', { ...call, key: undefined }, 'validation_failed', '#/key'],
    ['a key of the wrong type', { ...call, key: 1 }, 'invalid_key', '#/key'],
    ['text for an integer key', { entity: 'counter', key: '1', method: 'next' }, 'invalid_key', '#/key'],
    ['a fraction for a key', { entity: 'counter', key: 1.5, method: 'next' }, 'validation_failed', '#/key'],
    ['an empty key', { ...call, key: '' }, 'invalid_key', '#/key'],
    ['a key over 1 KiB', { ...call, key: 'é'.repeat(513) }, 'invalid_key', '#/key'],
    ['a wrong argument', { ...call, args: { x: '1' } }, 'validation_failed', '#/args/x'],
    ['an unknown argument', { ...call, args: { x: 1, y: 1 } }, 'validation_failed', '#/args/y'],
    ['no arguments', { ...call, args: undefined }, 'validation_failed', '#/args/x'],
    ['an unreadable idempotency key', { ...call, idempotencyKey: 'é' }, 'validation_failed', '#/idempotencyKey'],
    ['no time', { ...call, waitMs: 0 }, 'validation_failed', '#/waitMs'],
    ['no such entity', { ...call, entity: 'OrderLine' }, 'route_not_found', undefined],
    ['no such method', { ...call, method: 'ad' }, 'route_not_found', undefined],
    ['an attribute', { ...call, method: 'amount' }, 'route_not_found', undefined],
    ['no such constructor', { entity: 'counter', method: 'create' }, 'route_not_found', undefined],
  ])('keeps its id and says what is wrong: %s', (_what, line, code, pointer) => {
    const refused = readLine({ id: 'mine', ...line })
    expect(refused).toMatchObject({ kind: 'refused', place: { kind: 'id', id: 'mine' }, problem: { code } })
    const [place] = refused.kind === 'refused' ? (refused.problem.fields.errors ?? []) : []
    expect(place?.pointer).toBe(pointer)
  })

  it('names the nearest entity and method', () => {
    const hints = [
      { ...call, entity: 'OrderLine' },
      { ...call, method: 'ad' },
      { entity: 'ticket', key: 'a', method: 'create' },
    ].map((line) => readLine(line))
    expect(hints).toMatchObject([
      { problem: { fields: { hint: 'Did you mean "order_line"?' } } },
      { problem: { fields: { hint: 'Did you mean "add"?' } } },
      { problem: { fields: { hint: 'A create is without "key": its arguments hold the key.' } } },
    ])
  })

  it.each(['entity', 'method'])('is not repeated at length where it has a long %s', (member) => {
    const refused = readLine({ ...call, [member]: 'x'.repeat(5_000) })
    expect(refused).toMatchObject({ problem: { code: 'route_not_found' } })
    expect(JSON.stringify(refused).length).toBeLessThan(500)
  })

  it('is a creation where the runtime can create nothing', () => {
    const cannot = createLineReader({ ...options, capabilitiesOf: () => ({ ...everything, create: false }) })
    expect(cannot(Buffer.from('{"entity":"order_line","method":"create","args":{"id":"a"}}'), 1)).toMatchObject({
      problem: { code: 'route_not_found' },
    })
  })

  const wrong = { order: { ...call, args: {} }, creation: { entity: 'order_line', method: 'create', args: {} } }

  it.each(Object.values(wrong))('is refused to who may not do it before its arguments are looked at: %j', (line) => {
    const admit = () => {
      throw new ProblemError('forbidden', { detail: 'no' })
    }
    const refused = read(Buffer.from(JSON.stringify(line)), 1, { isShown: () => true, admit })
    expect(refused).toMatchObject({ kind: 'refused', problem: { code: 'forbidden' } })
  })

  it.each(Object.values(wrong))('is not told of what its sender may not know: %j', (line) => {
    const refused = read(Buffer.from(JSON.stringify(line)), 1, { isShown: () => false, admit: () => {} })
    expect(refused).toMatchObject({
      kind: 'refused',
      problem: { code: 'route_not_found', fields: { hint: undefined } },
    })
  })
})
