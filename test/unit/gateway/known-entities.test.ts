import { describe, expect, it } from 'vitest'
import { createKnownEntities } from '../../../src/gateway/invocations/known-entities.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

/** `Counter` with these methods and attributes. */
function counter(methods: readonly string[], attributes: readonly string[]) {
  const [one] = compiledEntities({
    name: 'Counter',
    state: Object.fromEntries(['id', ...attributes].map((name) => [name, { type: 'string' }])),
    create: { params: [{ name: 'id', schema: { type: 'string' } }] },
    methods: methods.map((name) => ({ name, params: [] })),
  })
  if (one === undefined) throw new Error('the test’s own metadata is broken')
  return one
}

const asked = { kind: 'call', entity: 'Counter', key: 'k', member: undefined } as const
const creation = { ...asked, kind: 'create', key: undefined } as const

describe('the entities that replies of replicas which died are read for', () => {
  const old = counter(['add', 'gone'], ['n'])
  const fresh = counter(['add'], ['m'])
  const known = createKnownEntities()
  known.add([old])
  known.add([fresh])

  it.each([
    ['a creation', creation, { kind: 'create', entity: fresh }],
    ['a call', { ...asked, member: 'add' }, { key: 'k', entity: fresh, method: { name: 'add' } }],
    ['a call of what has been removed since', { ...asked, member: 'gone' }, { entity: old, method: { name: 'gone' } }],
    ['a write', { ...asked, kind: 'write-attribute', member: 'm' }, { entity: fresh, attribute: { name: 'm' } }],
    ['a read', { ...asked, kind: 'read-attribute', member: 'n' }, { entity: old, attribute: { name: 'n' } }],
    ['a look', { ...asked, kind: 'find' }, { kind: 'find', entity: fresh, key: 'k' }],
  ] as const)('are found by the names that a record has: %s', (_what, names, target) => {
    expect(known.targetOf(names)).toMatchObject(target)
  })

  it.each([
    ['an entity', { ...creation, entity: 'Other' }],
    ['a method', { ...asked, member: 'other' }],
    ['a method by the name of an attribute', { ...asked, member: 'm' }],
    ['an attribute by the name of a method', { ...asked, kind: 'write-attribute', member: 'add' }],
    ['a call without a key', { ...asked, key: undefined, member: 'add' }],
  ] as const)('are none where there never was %s', (_what, names) => {
    expect(known.targetOf(names)).toBeUndefined()
  })
})
