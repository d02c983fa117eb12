import { describe, expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { createStatefunDialect } from '../../../src/runtime-adapters/statefun/dialect.ts'
import { asking, buyItem, entitiesWith, id, ping, type Runtime, received, shopRuntime } from './entities.ts'

const other = '00000000-52a1-4c1b-9a51-7d0c3f1f2b11'
const ask = { method: 'ping' } as const

function answerOf(reply: object | string, envelope: Runtime = {}) {
  const { answer } = asking(entitiesWith([ping], { envelope }, { create: 'none' }))
  return answer(typeof reply === 'string' ? reply : JSON.stringify(reply), ask)
}

describe('an answer', () => {
  it.each([
    ['a result', { correlation_id: id, ok: true, result: { a: [1] } }, { a: [1] }],
    ['no result', { correlation_id: id, ok: true }, null],
    ['no correlation id', { ok: true, result: 5 }, 5],
  ])('with %s is what the method returned', (_name, reply, value) => {
    expect(answerOf(reply)).toEqual({ kind: 'returned', value })
  })

  it('keeps every digit of an integer', () => {
    expect(answerOf('{"ok":true,"result":9007199254740993}')).toEqual({ kind: 'returned', value: 9007199254740993n })
  })

  it('with an error is a method that raised, by name and with its data', () => {
    const error = { code: 'OUT_OF_STOCK', message: 'none left', data: { left: 0 } }
    expect(answerOf({ correlation_id: id, ok: false, error })).toEqual({
      kind: 'raised',
      name: 'OUT_OF_STOCK',
      message: 'none left',
      data: { left: 0 },
    })
    expect(answerOf({ ok: false })).toEqual({ kind: 'raised', message: 'It failed, without a message.' })
  })

  it('says that an entity exists already, or is not there', () => {
    expect(answerOf({ ok: false, error: { code: 'ALREADY_EXISTS', message: 'm' } })).toMatchObject({
      reason: 'entity-exists',
    })
    const errors = { gone: 'entity-not-found' }
    expect(answerOf({ ok: false, error: { code: 'gone' } }, { errors })).toMatchObject({ reason: 'entity-not-found' })
    expect(answerOf({ ok: false, error: { code: 'KEY_NOT_FOUND' } }, { errors })).toMatchObject({ kind: 'raised' })
  })

  it('does not claim that nothing was done where other entities were asked', () => {
    const { answer } = asking(entitiesWith([buyItem]))
    const reply = JSON.stringify({ ok: false, error: { code: 'KEY_NOT_FOUND', message: 'no item' } })
    expect(answer(reply, { method: 'buy_item' })).toMatchObject({ reason: 'entity-not-found', effect: 'partial' })
  })

  it('may be a bare value, or hold its error without a verdict', () => {
    const bare = { reply: { ok: null, result: '' } }
    expect(answerOf('[1,2]', bare)).toEqual({ kind: 'returned', value: [1, 2] })
    expect(answerOf({ error: { message: 'broken' } }, bare)).toEqual({ kind: 'raised', message: 'broken' })
    const elsewhere = { reply: { correlationId: '/h/id', ok: 'success', result: '/out/0', errorMessage: 'why' } }
    expect(answerOf({ h: { id }, success: true, out: { 0: 'x' } }, elsewhere)).toEqual({ kind: 'returned', value: 'x' })
    expect(answerOf({ success: false, why: 'no' }, elsewhere)).toEqual({ kind: 'raised', message: 'no' })
  })

  it.each([
    ['of another call', JSON.stringify({ correlation_id: other, ok: true }), /another call/],
    ['without a verdict', '{"result":1}', /does not say at "\/ok"/],
    ['with a verdict that is none', '{"ok":"yes"}', /does not say at "\/ok"/],
    ['that is empty', '', /empty/],
    ['that is no JSON', '{"ok":', /not JSON/],
    ['with NaN', '{"ok":true,"result":NaN}', /NaN/],
    ['of a long number', `{"ok":true,"result":1${'0'.repeat(5000)}}`, /4,300 digits/],
    ['that is deep', `{"ok":true,"result":${'['.repeat(300)}${']'.repeat(300)}}`, /200 deep/],
    ['that is no object', '5', /does not say/],
    ['that is null', 'null', /does not say/],
  ])('%s is unreadable', (_name, reply, detail) => {
    expect(answerOf(reply)).toEqual({ kind: 'malformed', detail: expect.stringMatching(detail) })
  })

  it('is read in the time that its length takes, however many long runs of digits it has', () => {
    const result = `${'1'.repeat(4_300)}a`.repeat(60)
    const startedAtMs = performance.now()
    expect(answerOf({ correlation_id: id, ok: true, result })).toEqual({ kind: 'returned', value: result })
    expect(performance.now() - startedAtMs).toBeLessThan(1_000)
  })

  it('that is not text is unreadable', () => {
    const { answer } = asking(entitiesWith([ping], {}, { create: 'none' }))
    expect(answer(Buffer.from([0xff, 0xfe]), ask)).toMatchObject({ kind: 'malformed' })
  })

  it('is never an exception, whatever the bytes are', () => {
    const answers = [
      {},
      { correlation: 'dispatch' },
      { replyEncoding: 'protobuf', replyType: 'io.statefun.types/long' },
    ]
    for (const runtime of answers) {
      const { answer } = asking(entitiesWith([ping], runtime, { create: 'none' }))
      for (let byte = 0; byte < 256; byte++) {
        for (const bytes of [[byte], [byte, 1], [123, byte], [34, byte, 34]]) {
          expect(['malformed', 'returned']).toContain(answer(Buffer.from(bytes), ask).kind)
        }
      }
    }
  })
})

describe('the state', () => {
  const { answer } = asking(entitiesWith([], { state: { method: 'get' } }))

  it('is an object, and an attribute a member of it', () => {
    const reply = '{"ok":true,"result":{"balance":5}}'
    expect(answer(reply, { kind: 'read-state' })).toEqual({ kind: 'returned', value: { balance: 5 } })
    expect(answer(reply, { kind: 'read-attribute', attribute: 'balance' })).toEqual({ kind: 'returned', value: 5 })
    expect(answer(reply, { kind: 'find' })).toEqual({ kind: 'returned', value: null })
  })

  it('that is something else is unreadable', () => {
    expect(answer('{"ok":true,"result":[5]}', { kind: 'read-state' })).toMatchObject({ kind: 'malformed' })
    expect(answer('{"ok":true,"result":{}}', { kind: 'read-attribute', attribute: 'balance' })).toMatchObject({
      kind: 'malformed',
    })
  })

  it('can be read when every entity declares it', () => {
    const entity = { key: { name: 'k', schema: { type: 'string' } }, methods: [] }
    const entities = (runtime: Runtime) =>
      compileEntities([
        {
          file: 'x.json',
          document: {
            formatVersion: 1,
            application: 'shop',
            runtime: { name: 'statefun', ...shopRuntime, ...runtime },
            entities: [{ ...entity, name: 'User' }],
          },
        },
      ])
    const capabilities = (runtime: Runtime) => createStatefunDialect({ entities: entities(runtime) }).capabilities
    expect(capabilities({ state: {} })).toMatchObject({ find: true, readState: true, readAttribute: true })
    expect(capabilities({ find: {} })).toMatchObject({ find: true, readState: false, readAttribute: false })
    expect(capabilities({}).delivery).toBe('at-least-once')
    const egress = { delivery: 'exactly-once' }
    expect(capabilities({ egress }).delivery).toBe('exactly-once')
    const dialect = createStatefunDialect({ entities: entities({ egress }), readsUncommitted: true })
    expect(dialect.capabilities.delivery).toBe('at-least-once')
  })
})

describe('the key of what was created', () => {
  const late = { kind: 'create' } as const

  it('is that which was asked for; where that is forgotten, the answer’s', () => {
    const { answer } = asking(entitiesWith([]))
    const reply = '{"ok":true,"id":"bob"}'
    expect(answer(reply, { kind: 'create', args: { username: 'alice' } })).toEqual({ kind: 'created', key: 'alice' })
    expect(answer(reply, late)).toEqual({ kind: 'created', key: 'bob' })
    expect(answer('{"ok":true}', late)).toMatchObject({ kind: 'malformed' })
  })

  it('is a number where keys are', () => {
    const key = { name: 'username', schema: { type: 'integer' } }
    const create = { params: [{ name: 'username', schema: { type: 'integer' } }] }
    const { answer } = asking(entitiesWith([], {}, { key, create }))
    expect(answer('{"ok":true,"id":"42"}', late)).toEqual({ kind: 'created', key: 42 })
    expect(answer('{"ok":true,"id":"9007199254740993"}', late)).toEqual({ kind: 'created', key: 9007199254740993n })
    expect(answer('{"ok":true,"id":"x"}', late)).toMatchObject({ kind: 'malformed' })
  })

  it('comes with every answer of the dispatch function', () => {
    const { answer } = asking(entitiesWith([], { correlation: 'dispatch' }))
    const packed = { correlation_id: id, function: 'shop/user', id: 'bob', type: 't/r', text: '{"ok":true}' }
    expect(answer(JSON.stringify(packed), late)).toEqual({ kind: 'created', key: 'bob' })
  })
})

describe('an answer of the dispatch function', () => {
  const { answer, dialect } = asking(entitiesWith([ping], { correlation: 'dispatch' }))

  it.each([
    ['of another call', { correlation_id: other, text: '{"ok":true}' }, /another call/],
    ['with its own complaint', { correlation_id: id, problem: 'too large' }, /^too large$/],
    ['without a message', { correlation_id: id }, /no message/],
    ['without an id', { text: '{"ok":true}' }, /not one of gateway\/dispatch/],
    ['that is a pong', { correlation_id: id, pong: true }, /another call/],
  ])('%s is unreadable', (_name, reply, detail) => {
    expect(answer(JSON.stringify(reply), ask)).toEqual({ kind: 'malformed', detail: expect.stringMatching(detail) })
  })

  it('is a pong only where it says so', () => {
    expect(dialect.isPong(received(JSON.stringify({ correlation_id: id, pong: true }), id))).toBe(true)
    expect(dialect.isPong(received(JSON.stringify({ correlation_id: id, text: '{"pong":true}' }), id))).toBe(false)
    expect(dialect.isPong(received('"pong"', id))).toBe(false)
  })
})

describe('an id', () => {
  const { dialect } = asking(entitiesWith([ping]))
  const idOf = (value: string, key = '') => dialect.correlationOf(received(value, key))

  it.each([
    ['with spaces around the colon', `{"correlation_id" : "${id}"}`],
    ['behind a result', `{"ok":true,"result":"x","correlation_id":"${id}"}`],
    ['behind a result that has one too', `{"result":{"correlation_id":"${other}"},"correlation_id":"${id}"}`],
    ['before one', `{"correlation_id":"${id}","result":{"correlation_id":"${other}"}}`],
    ['beside text that looks like one', `{"result":"\\"correlation_id\\":\\"${other}\\"","correlation_id":"${id}"}`],
  ])('is found %s', (_name, value) => {
    expect(idOf(value)).toBe(id)
  })

  it('in the payload comes before the record’s key, which may be an entity’s that looks like one', () => {
    expect(idOf(`{"correlation_id":"${id}"}`, other)).toBe(id)
  })

  it.each([
    ['elsewhere', `{"id":"${id}"}`],
    ['that is none', '{"correlation_id":"alice"}'],
    ['that is cut off', `{"correlation_id":"${id.slice(0, 20)}`],
    ['in what can’t be read', `{"correlation_id":{"correlation_id":"${id}"`],
    ['in nothing', ''],
  ])('is not found %s', (_name, value) => {
    expect(idOf(value)).toBeUndefined()
  })

  it('is the record’s key alone where functions answer by it', () => {
    const { dialect: byKey } = asking(entitiesWith([ping], { correlation: 'key' }))
    expect(byKey.correlationOf(received(`{"correlation_id":"${other}"}`, id))).toBe(id)
    expect(byKey.correlationOf(received(`{"correlation_id":"${other}"}`))).toBeUndefined()
    expect([byKey.repliesKeyedById, dialect.repliesKeyedById]).toEqual([true, false])
  })
})
