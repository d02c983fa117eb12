import { describe, expect, it } from 'vitest'
import { fingerprintOf, idempotencyScope } from '../../../src/routes/idempotency.ts'
import type { Target } from '../../../src/runtime-adapters/contract.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

describe('what an idempotency key is unique in', () => {
  const named = { name: 'balance', params: [] }
  const account = {
    name: 'Account',
    state: { balance: { type: 'integer' }, limit: { type: 'integer' } },
    methods: [named],
  }
  const [entity, deposit] = compiledEntities(account, { ...account, name: 'Deposit' })
  const [method, attribute] = [entity?.methods.get('balance'), entity?.attributes.get('balance')]
  const other = entity?.attributes.get('limit')
  const callOf = (target: Target) => ({ id: '1', target, args: {}, deadline: 0, context: {} })
  const scopeOf = (target: Target) => idempotencyScope('p', callOf(target), 'k')

  it('is also which attribute is written, and what is written there tells a retry from another write', () => {
    if (entity === undefined || attribute === undefined || other === undefined) throw new Error('broken metadata')
    const write = { kind: 'write-attribute', entity, key: '1' } as const
    const [one, two] = [attribute, other].map((each) => ({ ...write, attribute: each, value: 1 }))
    if (one === undefined || two === undefined) throw new Error('broken metadata')
    expect(scopeOf(one)).not.toBe(scopeOf(two))
    expect(scopeOf(one)).toBe(scopeOf({ ...one, value: 2 }))
    expect(fingerprintOf(callOf(one))).not.toBe(fingerprintOf(callOf({ ...one, value: 2 })))
  })

  it('is also the entity, whether a method is called or an attribute of its name is written, and the type of the entity’s key', () => {
    if (entity === undefined || deposit === undefined || method === undefined || attribute === undefined)
      throw new Error('broken metadata')
    const scopes = [
      scopeOf({ kind: 'call', entity, key: '1', method }),
      scopeOf({ kind: 'write-attribute', entity, key: '1', attribute, value: 1 }),
      scopeOf({ kind: 'call', entity, key: 1, method }),
      scopeOf({ kind: 'call', entity: deposit, key: '1', method }),
      scopeOf({ kind: 'create', entity }),
      scopeOf({ kind: 'find', entity, key: 'undefined' }),
    ]
    expect(new Set(scopes).size).toBe(scopes.length)
  })
})
