import { describe, expect, it } from 'vitest'
import { stringifyExact } from '../../../src/entity-registry/exact-json.ts'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import type { Foreign } from '../../../src/runtime-adapters/kafka/dialect.ts'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { demoEntities, entitiesWith, type GoldenCall, invocationOf, received } from './entities.ts'

const id = '3f0e8a52-6a53-4a5e-9a51-7d0c3f1f2b11'
const counters = entitiesWith([{ name: 'go', params: [], runtime: { request: 'InvokeStateful' } }], {
  key: { name: 'id', schema: { type: 'integer' } },
  create: { params: [{ name: 'id', schema: { type: 'integer' } }] },
})

function answer(
  call: GoldenCall,
  type: string,
  payload: unknown,
  entities = demoEntities,
  key: unknown = 'u',
): Outcome | Foreign {
  const dialect = createStateflowDialect({ serializer: 'json', entities })
  const text = stringifyExact({ event_id: id, event_type: type, fun_address: { key }, payload })
  return dialect.decode(received(Buffer.from(text)), invocationOf(call, id, entities))
}

const plain: GoldenCall = { kind: 'call', entity: 'User', key: 'u', method: 'get_balance' }
const split: GoldenCall = { kind: 'call', entity: 'User', key: 'u', method: 'simple_for_loop', args: { users: [] } }
const create: GoldenCall = { kind: 'create', entity: 'User', args: { username: 'u' } }
const read: GoldenCall = { kind: 'read-attribute', entity: 'User', key: 'u', attribute: 'balance' }
const write: GoldenCall = { kind: 'write-attribute', entity: 'User', key: 'u', attribute: 'balance', value: 1 }
const find: GoldenCall = { kind: 'find', entity: 'User', key: 'u' }

describe('results are unwrapped by the kind of the request', () => {
  const returned = (value: unknown) => ({ kind: 'returned', value })
  it.each([
    ['a plain method’s list of one stays a list', plain, ['p'], ['p']],
    ['a plain method’s int of 70 bits is exact', plain, 2n ** 70n, 2n ** 70n],
    ['a plain method’s object is what it is', plain, { a: [1.5, null] }, { a: [1.5, null] }],
    ['a split method’s one result comes alone', split, ['p'], 'p'],
    ['a split method’s one list stays a list', split, [['p']], ['p']],
    ['a split method’s several results come together', split, [1, 2], [1, 2]],
    ['a split method without a result', split, [null], null],
  ])('%s', (_name, call, results, value) => {
    expect(answer(call, 'SuccessfulInvocation', { return_results: results })).toEqual(returned(value))
  })

  it('and a reference to an entity is its key', () => {
    const reference = { _type: 'InternalClassRef', fun_addr: { function_type: {}, key: 'i' }, attributes: { stock: 1 } }
    expect(answer(plain, 'SuccessfulInvocation', { return_results: reference })).toEqual(returned('i'))
    expect(answer(read, 'SuccessfulStateRequest', { state: [reference, { a: reference }] })).toEqual(
      returned(['i', { a: 'i' }]),
    )
  })
})

describe('creates', () => {
  it.each([
    ['a key as it is in the address', 42, '42', 42],
    ['an integer key that came as text', null, '42', 42],
    ['an integer key beyond 2^53', 2n ** 60n, '1152921504606846976', 2n ** 60n],
    ['the same as text', null, '1152921504606846976', 2n ** 60n],
  ])('answer with %s', (_name, address, text, key) => {
    const call: GoldenCall = { kind: 'create', entity: 'Thing', args: { id: 42 } }
    expect(answer(call, 'SuccessfulCreateClass', { key: text }, counters, address)).toEqual({ kind: 'created', key })
  })

  it('that the constructor refused have raised', () => {
    const payload = { error_message: 'Exception occurred during creation of User: no name.' }
    expect(answer(create, 'FailedInvocation', payload)).toEqual({ kind: 'raised', message: 'no name' })
  })

  it('without a key in the answer are malformed', () => {
    expect(answer(create, 'SuccessfulCreateClass', {}, demoEntities, null).kind).toBe('malformed')
  })
})

describe('answers that do not fit the request are malformed', () => {
  it.each<[string, GoldenCall, string, unknown]>([
    ['a pong to a call', plain, 'Pong', {}],
    ['an unknown type', plain, 'Whatever', {}],
    ['a success without a result', plain, 'SuccessfulInvocation', {}],
    ['a flow’s result that is no list', split, 'SuccessfulInvocation', { return_results: 1 }],
    ['a state without a state', read, 'SuccessfulStateRequest', {}],
    ['a call’s success to a read', read, 'SuccessfulInvocation', { return_results: 1 }],
    ['a failure of a read', read, 'FailedInvocation', { error_message: 'no' }],
    ['a call’s success to a write', write, 'SuccessfulInvocation', { return_results: 1 }],
    ['a create’s success to a find', find, 'SuccessfulCreateClass', { key: 'u' }],
    ['a missing entity to a create', create, 'KeyNotFound', { error_message: 'no' }],
    ['the request itself', plain, 'InvokeStateful', { args: {} }],
    ['a payload that is no object', plain, 'SuccessfulInvocation', 5],
  ])('%s', (_name, call, type, payload) => {
    expect(answer(call, type, payload).kind).toBe('malformed')
  })

  it.each([
    ['NaN', `{"event_id":"${id}","event_type":"SuccessfulInvocation","payload":{"return_results":NaN}}`],
    ['an array', '[]'],
    ['no UTF-8', '\u00ff'],
    ['5,000 digits', `{"event_id":"${id}","event_type":"X","payload":{"a":${'9'.repeat(5_000)}}}`],
    ['depth', `{"event_id":"${id}","event_type":"X","payload":{"a":${'['.repeat(9_999)}${']'.repeat(9_999)}}}`],
  ])('JSON with %s', (_name, text) => {
    const dialect = createStateflowDialect({ serializer: 'json', entities: demoEntities })
    expect(dialect.decode(received(Buffer.from(text, 'latin1')), invocationOf(plain, id)).kind).toBe('malformed')
  })
})

it('JSON is read in the time that its length takes, however many long runs of digits it has', () => {
  const results = `${'1'.repeat(4_300)}a`.repeat(60)
  const startedAtMs = performance.now()
  const outcome = answer(plain, 'SuccessfulInvocation', { return_results: results })
  expect(outcome).toEqual({ kind: 'returned', value: results })
  expect(performance.now() - startedAtMs).toBeLessThan(1_000)
})

describe('failures', () => {
  it('say what the method said, without the runtime’s words around it', () => {
    const payload = { error_message: "Exception occurred during invocation: 'no\nsuch.'." }
    expect(answer(plain, 'FailedInvocation', payload)).toEqual({ kind: 'raised', message: "'no\nsuch.'" })
    expect(answer(split, 'FailedInvocation', { error_message: 'odd' })).toEqual({ kind: 'raised', message: 'odd' })
    expect(answer(plain, 'FailedInvocation', {})).toMatchObject({ message: 'FailedInvocation, without a message.' })
  })

  it('of a missing entity had no effect, but for a flow that may have begun', () => {
    const payload = { error_message: 'Stateful instance with key=u does not exist.' }
    for (const call of [plain, read, write, find]) {
      expect(answer(call, 'KeyNotFound', payload)).toMatchObject({ reason: 'entity-not-found', effect: 'none' })
    }
    expect(answer(split, 'KeyNotFound', payload)).toMatchObject({ reason: 'entity-not-found', effect: 'partial' })
  })
})
