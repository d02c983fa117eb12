import { expect, it, vi } from 'vitest'
import { createRegistry } from '../../../src/entity-registry/registry.ts'
import { createEntityClient } from '../../../src/routes/entity-client.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'
import { everything } from '../../helpers/scripted-app.ts'

const entities = ['Account', 'Shop'].map((name) => ({
  name,
  key: { name: 'id', schema: { type: 'string' } },
  methods: [{ name: 'close', params: [] }],
}))

it('compiles the check of an entity’s key once, however often it is called', () => {
  const compiled = compiledEntities(...entities)
  const watched = compiled.map((entity) => {
    const schema = vi.fn(() => entity.key.schema)
    const key = Object.defineProperty({ ...entity.key }, 'schema', { get: schema })
    return { schema, entity: { ...entity, key } }
  })
  const client = createEntityClient({
    registry: createRegistry(watched.map(({ entity }) => entity)),
    capabilitiesOf: () => everything,
    invoke: async () => ({ kind: 'returned', value: null }),
    newId: () => 'one',
    defaultDeadlineMs: 10_000,
  })
  for (const key of ['a', 'b', 'c']) for (const { name } of entities) client.entity(name, key)
  for (const { schema } of watched) expect(schema).toHaveBeenCalledTimes(1)
})
