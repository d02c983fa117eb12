import { describe, expect, it } from 'vitest'
import type { EntityDescriptor } from '../../../src/entity-registry/descriptor.ts'
import { createStatefunDialect, ingressOf } from '../../../src/runtime-adapters/statefun/dialect.ts'
import { endpointsOf } from '../../../src/runtime-adapters/statefun/endpoints.ts'
import { StatefunMetadataError } from '../../../src/runtime-adapters/statefun/metadata-error.ts'
import { buyItem, entitiesWith, ping, type Runtime } from './entities.ts'

function problemsIn(make: () => unknown): readonly string[] {
  try {
    make()
    return []
  } catch (error) {
    if (error instanceof StatefunMetadataError) return error.problems
    throw error
  }
}

const problemsOf = (entities: readonly EntityDescriptor[]) => problemsIn(() => createStatefunDialect({ entities }))
const send = { name: 'send', params: [{ name: 'x', schema: { type: 'string' } }] }
const noCreate = { create: 'none' } as const

describe('metadata that StateFun can’t serve stops the start', () => {
  it('and the shop’s does not', () => {
    expect(problemsOf(entitiesWith([buyItem, ping], { state: {}, find: {} }))).toEqual([])
  })

  it('with every problem at once', () => {
    const entities = entitiesWith([ping, buyItem], { valueType: undefined, functions: 'x', encoding: 'yaml' })
    const runtime = Object.fromEntries(
      Object.entries(entities[0]?.runtime ?? {}).filter(([, value]) => value !== undefined),
    )
    const problems = problemsOf(entities.map((entity, index) => (index === 0 ? { ...entity, runtime } : entity)))
    expect(problems).toContain('User: runtime.functions: unknown member "functions". Did you mean "function"?')
    expect(problems.some((problem) => problem.startsWith('User: runtime.encoding:'))).toBe(true)
  })

  it.each<[string, Runtime, RegExp]>([
    ['a misspelt member of the envelope', { envelope: { request: { metod: '/m' } } }, /metod.*Did you mean "method"/],
    ['no function', { function: undefined }, /User\.ping has no "runtime\.function"/],
    ['no value type', { valueType: undefined }, /User\.ping has no "runtime\.valueType"/],
    ['no reply topic', { replyTopics: undefined }, /User\.ping has no "runtime\.replyTopics"/],
    ['a function without a namespace', { function: 'user' }, /runtime\.function: must match/],
    ['a topic that Kafka can’t have', { topic: 'sf user' }, /runtime\.topic: must match/],
    ['a function whose name makes no topic', { topic: undefined, function: 'shop/üser' }, /needs a "runtime\.topic"/],
    ['JSON as a wrapper', { encoding: 'json', valueType: 'io.statefun.types/string' }, /sends JSON as io\.statefun/],
    ['bare values without dispatch', { encoding: 'raw' }, /User\.ping sends bare values .* "dispatch"/],
    [
      'an unknown wrapper',
      { correlation: 'dispatch', encoding: 'protobuf' },
      /with the type "shop\/request"; there are/,
    ],
    ['no place for an id', { envelope: { request: { correlationId: null } } }, /no place for the correlation id/],
    ['no place for a key', { correlation: 'key', envelope: { request: { key: null } } }, /no place for it/],
    ['bare values by key', { correlation: 'key', encoding: 'raw' }, /key must be in the message/],
    ['two things in one place', { envelope: { request: { method: '/correlation_id' } } }, /its method there too/],
    ['one inside the other', { envelope: { request: { method: '/correlation_id/m' } } }, /its method there too/],
    ['arguments in the id', { envelope: { request: { arguments: '/correlation_id' } } }, /its arguments into its/],
    ['something in place of all', { envelope: { request: { method: '' } } }, /to the root of the request/],
  ])('for %s', (_name, runtime, problem) => {
    const entities = entitiesWith([ping], runtime, noCreate)
    const given = Object.fromEntries(
      Object.entries(entities[0]?.runtime ?? {}).filter(([, value]) => value !== undefined),
    )
    const problems = problemsOf(entities.map((entity, index) => (index === 0 ? { ...entity, runtime: given } : entity)))
    expect(problems).toContainEqual(expect.stringMatching(problem))
  })

  it('for an argument that would take the place of the envelope', () => {
    const params = ['method', 'correlation_id', 'item'].map((name) => ({ name, schema: {} }))
    expect(problemsOf(entitiesWith([{ name: 'go', params }], { envelope: { request: { arguments: '' } } }))).toEqual([
      'User.go writes its correlationId to "/correlation_id", where its parameter "correlation_id" stands.',
      'User.go writes its method to "/method", where its parameter "method" stands.',
    ])
    expect(problemsOf(entitiesWith([{ name: 'go', params }]))).toEqual([])
  })

  it.each([
    ['no parameter', { name: 'send', params: [] }, /needs one parameter/],
    ['two parameters', { name: 'send', params: [...send.params, { name: 'y', schema: {} }] }, /needs one parameter/],
    ['one that may be missing', { name: 'send', params: [{ name: 'x', schema: {}, required: false }] }, /is required/],
    ['one of another type', { name: 'send', params: [{ name: 'x', schema: { type: 'integer' } }] }, /must be "string"/],
  ])('for a bare value of a method with %s', (_name, method, problem) => {
    const entities = entitiesWith([method], { correlation: 'dispatch', encoding: 'raw' }, noCreate)
    expect(problemsOf(entities)).toEqual([expect.stringMatching(problem)])
  })

  it('for messages that nothing tells apart', () => {
    const methods = [send, { ...send, name: 'post' }]
    const bare = { correlation: 'dispatch', encoding: 'raw' }
    expect(problemsOf(entitiesWith(methods, bare, noCreate))).toEqual([
      'User.post and User.send are the same message to shop/user as shop/request; nothing in it names the method.',
    ])
    expect(problemsOf(entitiesWith(methods, { envelope: { request: { method: null } } }, noCreate))).toHaveLength(1)
    const told = methods.map((method) => ({ ...method, runtime: { valueType: `shop/${method.name}` } }))
    expect(problemsOf(entitiesWith(told, bare, noCreate))).toEqual([])
  })

  it('for a topic that would lead to two functions', () => {
    expect(problemsOf(entitiesWith([buyItem], { topic: 'sf-item' }, noCreate))).toEqual([])
    const methods = [ping, { ...send, runtime: { function: 'shop/cart' } }]
    expect(problemsOf(entitiesWith(methods, {}, noCreate))).toEqual([
      'User.send sends to the topic "sf-user" for shop/cart as shop/request, User.ping for shop/user as shop/request.',
    ])
  })

  it('for keys that may be empty', () => {
    const key = { name: 'username', schema: { type: 'string', minLength: 0 } }
    expect(problemsOf(entitiesWith([ping], {}, { key, ...noCreate }))).toEqual([
      expect.stringMatching(/keys that may be empty/),
    ])
  })
})

describe('topics', () => {
  it('of replies are the operator’s where he names some', () => {
    const dialect = createStatefunDialect({ entities: entitiesWith([ping]), replyTopics: ['mine'] })
    expect(dialect.topics.replies).toEqual(['mine'])
  })

  it('of dispatched calls lead to the dispatch function', () => {
    const entities = entitiesWith([ping, { ...send, runtime: { correlation: 'dispatch' } }], {}, noCreate)
    expect(Object.fromEntries(ingressOf(entities, { dispatchTopic: 'd' }))).toEqual({
      'sf-user': { functionType: 'shop/user', valueType: 'shop/request' },
      d: { functionType: 'gateway/dispatch', valueType: 'gateway/request' },
    })
  })
})

describe('endpoints', () => {
  const at = (functions: string, url = 'http://h:1/') => ({ functions, urlPathTemplate: url })

  it('are listed once, the most particular first', () => {
    const endpoints = [at('*'), at('shop/*'), at('shop/user'), at('shop/*')]
    const found = endpointsOf(entitiesWith([], { endpoints }))
    expect(found.map(({ functions }) => functions)).toEqual(['shop/user', 'shop/*', '*'])
  })

  it.each([
    ['in two places', [at('shop/*'), at('shop/*', 'http://h:2/')], /and at http:\/\/h:1\/ too/],
    ['without a place', [{ functions: 'shop/*' }], /must have required property 'urlPathTemplate'/],
    ['of no form', [at('shop')], /must match pattern/],
  ])('%s are refused', (_name, endpoints, problem) => {
    const problems = problemsIn(() => endpointsOf(entitiesWith([], { endpoints })))
    expect(problems).toContainEqual(expect.stringMatching(problem))
  })
})
