import { describe, expect, it } from 'vitest'
import type { EntityDescriptor, MethodDescriptor } from '../../../src/entity-registry/descriptor.ts'
import { createStateflowDialect, StateflowMetadataError } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { demoEntities, entitiesWith, entityNamed, found } from './entities.ts'

function problemsOf(entities: readonly EntityDescriptor[], routing: 'dataflow' | 'statefun' = 'dataflow') {
  try {
    createStateflowDialect({ entities, routing })
    return []
  } catch (error) {
    if (error instanceof StateflowMetadataError) return error.problems
    throw error
  }
}

/** The demo with another `buy_item`. */
function withBuyItem(change: (method: MethodDescriptor) => Partial<MethodDescriptor>): readonly EntityDescriptor[] {
  return demoEntities.map((entity) => {
    if (entity.name !== 'User') return entity
    const method = found(entity.methods.get('buy_item'), 'buy_item')
    return { ...entity, methods: new Map([...entity.methods, ['buy_item', { ...method, ...change(method) }]]) }
  })
}

interface Flow {
  graph: Record<string, Record<string, unknown>>
  bind: { key: string[]; params: Record<string, unknown[]> }
  unbound: string[]
}

/** The demo with a changed copy of `buy_item`’s flow. */
function withFlow(change: (flow: Flow) => unknown): readonly EntityDescriptor[] {
  return withBuyItem(({ runtime }) => {
    // The flow comes from this repository’s golden metadata.
    const flow = structuredClone(runtime.flow) as Flow
    change(flow)
    return { runtime: { ...runtime, flow } }
  })
}

const node = (flow: Flow, id: string) => found(flow.graph[id], id)

describe('metadata that StateFlow can’t serve stops the start', () => {
  it('and the demo’s does not', () => {
    expect(problemsOf(demoEntities)).toEqual([])
    expect(problemsOf(demoEntities, 'statefun')).toEqual([])
  })

  it.each([
    ['no kind of request', { name: 'go', params: [] }, 'Thing.go has undefined for "runtime.request"'],
    ['an unknown kind', { name: 'go', params: [], runtime: { request: 'SetState' } }, 'Thing.go has "SetState"'],
    ['no flow', { name: 'go', params: [], runtime: { request: 'EventFlow' } }, 'Thing.go is an EventFlow'],
    [
      'an argument that may be missing but not be null',
      {
        name: 'go',
        params: [{ name: 'x', schema: { type: 'string' }, required: false }],
        runtime: { request: 'InvokeStateful' },
      },
      'Thing.go: the parameter "x" may be left out',
    ],
  ])('for a method with %s', (_name, method, words) => {
    expect(problemsOf(entitiesWith([method]))).toEqual([expect.stringContaining(words)])
  })

  it('for a method that begins with an underscore', () => {
    const user = entityNamed('User')
    const method = { ...found(user.methods.get('get_balance'), 'get_balance'), name: '__init__' }
    const entity = { ...user, methods: new Map([['__init__', method]]) }
    expect(problemsOf([entity])).toEqual([expect.stringContaining('User.__init__ begins with an underscore')])
  })

  it('for integer keys over StateFun, which addresses by text', () => {
    const entities = entitiesWith([], { key: { name: 'id', schema: { type: 'integer' } }, create: { params: [] } })
    expect(problemsOf(entities, 'statefun')).toEqual([expect.stringContaining('Thing has integer keys')])
    expect(problemsOf(entities)).toEqual([])
  })

  it.each<[string, (flow: Flow) => unknown, string]>([
    [
      'a pointer into nothing',
      ({ bind }) => bind.key.push('/99/fun_addr/key'),
      'binds "/99/fun_addr/key", which is not',
    ],
    ['no key', ({ bind }) => bind.key.splice(0), 'binds the key of its entity nowhere'],
    [
      'a parameter it does not have',
      ({ bind }) => Object.assign(bind.params, { ghost: [{ pointer: '/1', as: 'value' }] }),
      'binds "ghost"',
    ],
    [
      'a parameter that is lost',
      ({ bind }) => Object.assign(bind.params, { amount: [] }),
      'neither binds its parameter "amount"',
    ],
    [
      'an unknown way',
      ({ bind }) => Object.assign(bind.params, { amount: [{ pointer: '/2/input/amount', as: 'x' }] }),
      'as "x"',
    ],
    [
      'a reference to another entity',
      ({ bind }) => Object.assign(bind.params, { item: [{ pointer: '/1/input/__key', as: 'ref', entity: 'Shop' }] }),
      'reference to "Shop"',
    ],
    ['no such start', ({ graph }) => Object.assign(graph, { current: 77 }), '"current" names no node'],
    [
      'a start without a key',
      ({ bind }) => Object.assign(bind.params, { item: [{ pointer: '/1/fun_addr/key', as: 'key' }] }),
      'starts at a node whose key nothing binds',
    ],
    [
      'an unknown node',
      (flow) => Object.assign(node(flow, '13'), { type: 'INVOKE_MAGIC' }),
      'unknown type "INVOKE_MAGIC"',
    ],
    [
      'a node that lacks a member',
      (flow) => Reflect.deleteProperty(node(flow, '2'), 'fun_name'),
      'flow node 2 without "fun_name"',
    ],
    [
      'a node of no function',
      (flow) => Object.assign(node(flow, '13'), { fun_addr: {} }),
      'without "fun_addr/function_type"',
    ],
  ])('for a flow with %s', (_name, change, words) => {
    const problems = problemsOf(withFlow(change))
    expect(problems.join('\n')).toContain(words)
    expect(problems.every((problem) => problem.startsWith('User.buy_item '))).toBe(true)
  })

  it('with every problem at once, by entity and method', () => {
    const entities = entitiesWith([
      { name: 'one', params: [] },
      { name: 'two', params: [] },
    ])
    expect(() => createStateflowDialect({ entities })).toThrow(/Thing\.one[\s\S]*Thing\.two/)
  })

  it('but not for an unused parameter that the document lists as unbound', () => {
    const entities = withFlow((flow) => {
      flow.bind.params.amount = []
      flow.unbound.push('amount')
    })
    expect(problemsOf(entities)).toEqual([])
  })

  it('and what was never planned can’t be sent', () => {
    const dialect = createStateflowDialect({ entities: [entityNamed('Item')] })
    const target = { kind: 'find', entity: entityNamed('User'), key: 'u' } as const
    expect(() => dialect.encode({ id: 'x', target, args: {}, deadline: 0, context: {} })).toThrow('User')
  })
})
