import { fileURLToPath } from 'node:url'
import { type TSchema, Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { createEmbedded, describeEmbedded } from '../../../src/runtime-adapters/embedded/create.ts'
import { emitSchema } from '../../../src/runtime-adapters/embedded/emit-schema.ts'
import { loadDefinitions } from '../../../src/runtime-adapters/embedded/load-definitions.ts'
import { Int64 } from '../../../src/runtime-adapters/embedded/schema-types.ts'
import { createCaller } from '../../conformance/caller.ts'
import { embeddedRuntime, silentLog } from '../../conformance/embedded-runtime.ts'

const file = (name: string) => fileURLToPath(new URL(`modules/${name}`, import.meta.url))
const shop = fileURLToPath(new URL('../../../examples/shop/shop.ts', import.meta.url))
const safe = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }

describe('metadata of entities written in TypeScript', () => {
  it('is a document that the gateway takes, and the same each time', async () => {
    const [loaded] = await describeEmbedded({ embedded: { entities: shop } }, 'shop-runtime')
    expect(JSON.stringify(await describeEmbedded({ embedded: { entities: shop } }, 'shop-runtime'))).toBe(
      JSON.stringify([loaded]),
    )
    const entities = compileEntities(loaded === undefined ? [] : [loaded])
    expect(entities.map(({ name, path, application, runtimeName }) => [name, path, application, runtimeName])).toEqual([
      ['Item', 'item', 'shop', 'shop-runtime'],
      ['User', 'user', 'shop', 'shop-runtime'],
    ])
    const buyItem = entities[1]?.methods.get('buy_item')
    expect(buyItem?.params.map(({ name, references }) => [name, references])).toEqual([
      ['amount', []],
      ['item', [{ entity: 'Item', path: [] }]],
    ])
    expect(entities[1]?.methods.get('update_balance')?.returns).toBeUndefined()
    expect(entities[1]?.attributes.get('items')?.schema).toMatchObject({ type: 'array', items: { type: 'string' } })
  })

  it('is the shop’s where no module is named', async () => {
    const [loaded] = await describeEmbedded({ embedded: {} }, 'embedded')
    expect(loaded?.document.application).toBe('shop')
  })

  it('says everything that a definition says', async () => {
    const [loaded] = await describeEmbedded({ embedded: { entities: file('2-many-types.ts') } }, 'embedded')
    const int64 = { type: 'integer', format: 'int64' }
    expect(loaded?.document).toEqual({
      formatVersion: 1,
      application: '_2_many_types',
      runtime: { name: 'embedded' },
      entities: [
        {
          name: 'Ticket',
          description: 'Makes up its own key.',
          key: { name: 'number', schema: int64, generated: true },
          state: {
            number: { ...int64, description: 'The key.' },
            pair: {
              type: 'array',
              prefixItems: [{ type: 'string' }, { type: 'integer', ...safe }],
              items: { not: {} },
              minItems: 2,
            },
            seen: { anyOf: [{ type: 'object', additionalProperties: int64 }, { type: 'null' }] },
          },
          create: { params: [] },
          methods: [
            {
              name: 'join',
              params: [
                { name: 'others', schema: { type: 'array', items: { entity: 'Ticket' } } },
                { name: 'next', entity: 'Ticket', description: 'The next one.', required: false },
                { name: 'counts', schema: { type: 'object', additionalProperties: int64 } },
                { name: 'choice', schema: { anyOf: [{ type: 'null' }, { ...int64, minimum: 0 }] } },
              ],
              returns: { type: 'array', items: { type: 'string' } },
              readOnly: false,
              deadlineMs: 500,
              errors: {
                Closed: {
                  status: 409,
                  description: 'Too late.',
                  schema: { type: 'object', required: ['since'], properties: { since: { type: 'integer', ...safe } } },
                },
              },
              examples: [{ others: [1], counts: { a: 2 }, choice: null }],
            },
          ],
        },
      ],
    })
  })

  it('stays true of keys that are made up, of integers, and of 64 bits at any depth', async () => {
    const definitions = await loadDefinitions(file('2-many-types.ts'))
    const made = embeddedRuntime({ definitions })
    await made.adapter.start()
    const caller = createCaller(made)
    const key = 2n ** 60n
    expect(await caller.create('Ticket', {})).toEqual({ kind: 'created', key })
    expect(await caller.create('Ticket', {})).toMatchObject({ kind: 'rejected', reason: 'entity-exists' })
    expect(await caller.find('Ticket', String(key))).toMatchObject({ kind: 'rejected' })
    const args = { others: [key], counts: { a: 2, b: 3n ** 39n }, choice: 7 }
    expect(await caller.call('Ticket', key, 'join', args)).toEqual({
      kind: 'returned',
      value: ['bigint', 'bigint', 'bigint', 'bigint'],
    })
    await made.adapter.close()
  })

  it.each<[string, TSchema, unknown]>([
    [
      'a plain integer keeps to what a double holds',
      Type.Integer({ minimum: 0 }),
      { type: 'integer', ...safe, minimum: 0 },
    ],
    ['64 bits have no other bounds than their own', Int64(), { type: 'integer', format: 'int64' }],
    [
      'what JSON can’t carry is unsupported',
      Type.BigInt(),
      { unsupported: 'bigint (Int64() is the type of 64-bit integers)' },
    ],
    ['anything is anything', Type.Unknown(), {}],
    [
      'patterns of names stay',
      Type.Record(Type.String({ pattern: '^x' }), Type.Null()),
      { type: 'object', patternProperties: { '^x': { type: 'null' } } },
    ],
  ])('%s', (_what, type, schema) => {
    expect(emitSchema(type)).toEqual(schema)
  })
})

describe('the module with the entities', () => {
  it.each([
    ['missing.ts', 'there is no such file. Set GATEWAY_ENTITIES'],
    ['empty.ts', 'it exports no entity.'],
    ['failing.ts', 'it can’t be imported. RangeError: no such luck'],
    ['twice.ts', 'two entities are called "Twin".'],
  ])('is refused in plain words: %s', async (name, message) => {
    await expect(loadDefinitions(file(name))).rejects.toThrow(message)
  })

  it('must have what the metadata names', async () => {
    const { entities } = embeddedRuntime({ definitions: await loadDefinitions(shop) })
    const context = { instance: 'embedded', entities, log: silentLog }
    const other = await createEmbedded({ embedded: { entities: file('2-many-types.ts') } }, context)
    await expect(other.start()).rejects.toThrow('No entity "Item" is defined, but the metadata names it.')
  })
})
