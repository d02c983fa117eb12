import { describe, expect, it } from 'vitest'
import { compileEntities, snakeCase } from '../../../src/entity-registry/compile-entities.ts'
import { checkDocument } from '../../../src/entity-registry/load-metadata.ts'
import { MetadataError } from '../../../src/entity-registry/metadata-error.ts'
import type { MetadataDocument } from '../../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../../src/entity-registry/overrides.ts'

const item: MetadataDocument['entities'][number] = {
  name: 'Item',
  key: { name: 'item_name', schema: { type: 'string' } },
  state: { item_name: { type: 'string' }, stock: { type: 'integer' } },
  create: { params: [{ name: 'item_name', schema: { type: 'string' } }] },
  methods: [
    { name: 'set_stock', params: [{ name: 'amount', schema: { type: 'integer' } }], returns: { type: 'null' } },
  ],
}

function user(changes: Partial<MetadataDocument['entities'][number]> = {}): MetadataDocument['entities'][number] {
  return {
    name: 'User',
    key: { name: 'username', schema: { type: 'string' } },
    methods: [
      {
        name: 'buy_item',
        params: [
          { name: 'amount', schema: { type: 'integer' } },
          { name: 'item', entity: 'Item' },
        ],
        returns: { type: 'boolean' },
      },
      { name: '_secret', params: [] },
    ],
    ...changes,
  }
}

function documentOf(...entities: MetadataDocument['entities']): MetadataDocument {
  return { formatVersion: 1, application: 'shop', entities }
}

function compile(document: MetadataDocument, overrides: Record<string, Override> = {}) {
  return compileEntities([{ file: 'shop.json', document }], {
    file: 'overrides.json',
    byName: new Map(Object.entries(overrides)),
  })
}

function problemsOf(run: () => unknown) {
  try {
    run()
  } catch (error) {
    if (error instanceof MetadataError) return error.problems
    throw error
  }
  return []
}

describe('compileEntities', () => {
  it('makes a reference the schema of the other entity’s key', () => {
    const [, compiled] = compile(documentOf(item, user()))
    const [, ref] = compiled?.methods.get('buy_item')?.params ?? []
    expect(ref?.schema).toEqual({ type: 'string', minLength: 1, maxLength: 1024, description: 'The key of an Item.' })
    expect(ref?.references).toEqual([{ entity: 'Item', path: [] }])
  })

  it('finds references at any depth', () => {
    const methods = [{ name: 'm', params: [{ name: 'items', schema: { type: 'array', items: { entity: 'Item' } } }] }]
    const [, compiled] = compile(documentOf(item, user({ methods })))
    expect(compiled?.methods.get('m')?.params[0]?.references).toEqual([{ entity: 'Item', path: ['*'] }])
  })

  describe('where a key is a reference', () => {
    const keyed = (name: string, entity: string) => ({
      name,
      key: { name: 'owner', schema: { entity } },
      create: { params: [{ name: 'owner', entity }] },
      methods: [],
    })

    it('makes it the key that it leads to, however far', () => {
      const badge = user({
        name: 'Badge',
        methods: [{ name: 'm', params: [{ name: 'profile', entity: 'Profile' }], returns: { type: 'null' } }],
      })
      const entities = compile(documentOf(badge, keyed('Profile', 'Account'), keyed('Account', 'Item'), item))
      const key = { type: 'string', minLength: 1, maxLength: 1024 }
      expect(entities[1]?.key).toEqual({ name: 'owner', type: 'string', schema: key })
      expect(entities[1]?.create?.params[0]?.schema).toMatchObject(key)
      expect(entities[0]?.methods.get('m')?.params[0]?.schema).toMatchObject(key)
    })

    it('takes integers for keys that are integers', () => {
      const ticket = user({ name: 'Ticket', key: { name: 'number', schema: { type: 'integer' } }, methods: [] })
      const [, seat] = compile(documentOf(ticket, keyed('Seat', 'Ticket')))
      expect(seat?.key).toEqual({ name: 'owner', type: 'integer', schema: { type: 'integer', format: 'int64' } })
    })

    it('stops at references that go round', () => {
      const entities = [keyed('One', 'Other'), keyed('Other', 'One'), keyed('Self', 'Self'), keyed('Third', 'One')]
      expect(
        problemsOf(() => compile(documentOf(...entities))).map(({ pointer, message }) => [pointer, message]),
      ).toEqual([
        ['/entities/0/key/schema/entity', 'the key refers to itself: One → Other → One.'],
        ['/entities/1/key/schema/entity', 'the key refers to itself: Other → One → Other.'],
        ['/entities/2/key/schema/entity', 'the key refers to itself: Self → Self.'],
      ])
    })

    it('stops once at a reference that leads nowhere', () => {
      const entities = [keyed('Profile', 'Account'), keyed('Account', 'Nobody')]
      const pointers = problemsOf(() => compile(documentOf(...entities))).map(({ pointer }) => pointer)
      expect(pointers).toEqual(['/entities/1/key/schema/entity', '/entities/1/create/params/0/entity'])
    })
  })

  it('freezes descriptors at every depth', () => {
    const [compiled] = compile(documentOf(item))
    expect(Object.isFrozen(compiled)).toBe(true)
    expect(Object.isFrozen(compiled?.methods.get('set_stock')?.params[0]?.schema)).toBe(true)
    expect(Object.isFrozen(compiled?.attributes.get('stock')?.schema)).toBe(true)
  })

  it('bounds integers to 64 bits unless the metadata says less', () => {
    const [compiled] = compile(documentOf(item))
    const [amount] = compiled?.methods.get('set_stock')?.params ?? []
    expect(amount?.schema).toEqual({ type: 'integer', format: 'int64' })
  })

  it('tells nothing returned from anything returned', () => {
    const methods = [
      { name: 'nothing', params: [], returns: { type: 'null' } },
      { name: 'anything', params: [] },
    ]
    const [compiled] = compile(documentOf(user({ methods })))
    expect(compiled?.methods.get('nothing')?.returns).toBeUndefined()
    expect(compiled?.methods.get('anything')?.returns).toEqual({})
  })

  it('hides names that begin with an underscore, and says so', () => {
    const [, compiled] = compile(documentOf(item, user()))
    expect([...(compiled?.methods.keys() ?? [])]).toEqual(['buy_item'])
    expect(compiled?.hidden).toEqual([{ name: '_secret', reason: 'its name begins with an underscore' }])
  })

  it.each([
    ['an unknown entity', { entity: 'Itm' }, '/schema/entity', 'there is no entity "Itm".', 'Did you mean "Item"?'],
    ['an unknown type', { type: 'strng' }, '/schema/type', '"strng" is not a type.', 'Did you mean "string"?'],
    [
      'a misspelt keyword',
      { type: 'integer', minimun: 1 },
      '/schema/minimun',
      /"minimun" is not one/,
      'Did you mean "minimum"?',
    ],
    ['a $ref', { $ref: '#/x' }, '/schema/$ref', /"\$ref" is not one/, /in its place/],
    [
      'an unsupported type',
      { unsupported: 'set[int]' },
      '/schema/unsupported',
      /could not express the type "set\[int\]"/,
      /hide the member/,
    ],
    [
      'an unsupported type inside',
      { type: 'array', items: { unsupported: 'X' } },
      '/schema/items/unsupported',
      /"X"/,
      /hide/,
    ],
  ])('stops at %s, naming the place', (_name, schema, pointer, message, hint) => {
    const methods = [{ name: 'm', params: [{ name: 'p', schema }] }]
    const [problem, ...more] = problemsOf(() => compile(documentOf(item, user({ methods }))))
    expect(more).toEqual([])
    expect(problem?.file).toBe('shop.json')
    expect(problem?.pointer).toBe(`/entities/1/methods/0/params/0${pointer}`)
    expect(problem?.message).toMatch(message)
    expect(problem?.hint).toMatch(hint)
  })

  it('lets an unsupported type stand on a hidden member', () => {
    const methods = [{ name: 'm', params: [{ name: 'p', schema: { unsupported: 'set' } }] }]
    const [, compiled] = compile(documentOf(item, user({ methods })), { 'User.m': { expose: false } })
    expect(compiled?.hidden).toEqual([{ name: 'm', reason: 'hidden by the operator' }])
  })

  it.each([
    [
      'a key that is neither string nor integer',
      user({ key: { name: 'k', schema: { type: 'number' } } }),
      '/key/schema/type',
    ],
    [
      'two methods of one name',
      user({
        methods: [
          { name: 'm', params: [] },
          { name: 'm', params: [] },
        ],
      }),
      '/methods/1/name',
    ],
    [
      'a parameter with schema and entity',
      user({ methods: [{ name: 'm', params: [{ name: 'p', schema: {}, entity: 'User' }] }] }),
      '/methods/0/params/0',
    ],
    [
      'two parameters of one name',
      user({
        methods: [
          {
            name: 'm',
            params: [
              { name: 'p', schema: {} },
              { name: 'p', schema: {} },
            ],
          },
        ],
      }),
      '/methods/0/params/1/name',
    ],
    ['a path of the gateway', user({ name: 'Docs' }), '/name'],
  ])('stops at %s', (_name, entity, pointer) => {
    const problems = problemsOf(() => compile(documentOf(entity, item)))
    expect(problems.map((problem) => problem.pointer)).toEqual([`/entities/0${pointer}`])
  })

  it('stops at entities that share a name or a path', () => {
    const twice = problemsOf(() => compile(documentOf(item, item)))
    expect(twice.map(({ message }) => message)).toEqual(['the entity "Item" is already in shop.json.'])
    const samePath = problemsOf(() =>
      compile(documentOf({ ...item, name: 'OrderLine' }, { ...item, name: 'Order_Line' })),
    )
    expect(samePath.map(({ message }) => message)).toEqual(['its path "/order_line" is also that of "OrderLine".'])
  })

  it('stops at an override of something that is not there', () => {
    const problems = problemsOf(() => compile(documentOf(item), { 'Item.set_stok': { expose: false } }))
    expect(problems).toEqual([
      {
        file: 'overrides.json',
        pointer: '/Item.set_stok',
        message: 'nothing is called "Item.set_stok".',
        hint: 'Did you mean "Item.set_stock"?',
      },
    ])
  })

  it('lets the operator move, time and open up members', () => {
    const [compiled] = compile(documentOf(item), {
      Item: { path: 'articles' },
      'Item.set_stock': { verb: 'PUT', path: 'articles/{key}/stock-level', deadlineMs: 50, safe: true },
      'Item.stock': { writable: true },
    })
    const method = compiled?.methods.get('set_stock')
    expect(compiled?.path).toBe('articles')
    expect(method).toMatchObject({
      binding: { verb: 'PUT', path: '/articles/{key}/stock-level' },
      deadlineMs: 50,
      safe: true,
    })
    expect(compiled?.attributes.get('stock')?.writable).toBe(true)
    expect(compiled?.attributes.get('item_name')?.writable).toBe(false)
  })

  it('takes GET only for what the operator calls safe: whoever sends one may send it again', () => {
    const problems = problemsOf(() => compile(documentOf(item), { 'Item.set_stock': { verb: 'GET' } }))
    expect(problems.map(({ message, hint }) => [message, hint])).toEqual([
      ['the overriding verb GET is for methods that change nothing.', 'Say "safe": true if it is one.'],
    ])
    const [compiled] = compile(documentOf(item), { 'Item.set_stock': { verb: 'GET', safe: true } })
    expect(compiled?.methods.get('set_stock')?.binding?.verb).toBe('GET')
  })

  it('wants {key} in an overriding path', () => {
    const problems = problemsOf(() => compile(documentOf(item), { 'Item.set_stock': { path: '/stock' } }))
    expect(problems[0]?.message).toMatch(/needs \{key\} exactly once/)
  })

  it.each([
    ['User', 'user'],
    ['OrderLine', 'order_line'],
    ['HTTPServer', 'http_server'],
    ['V2Item', 'v2_item'],
  ])('writes %s as %s in paths', (name, path) => {
    expect(snakeCase(name)).toBe(path)
  })
})

describe('checkDocument', () => {
  it('accepts a document that follows the schema', () => {
    expect(checkDocument('shop.json', documentOf(item, user()))).toEqual([])
  })

  it('names an unknown member, its place and the nearest known one', () => {
    const document = { ...documentOf(item), entities: [{ ...item, metods: [] }] }
    expect(checkDocument('shop.json', document)).toEqual([
      {
        file: 'shop.json',
        pointer: '/entities/0/metods',
        message: 'unknown member "metods".',
        hint: 'Did you mean "methods"?',
      },
    ])
  })

  it.each([
    [{ ...documentOf(item), formatVersion: 2 }, '/formatVersion', 'must be 1.'],
    [{ formatVersion: 1, application: 'shop' }, '', "must have required property 'entities'."],
    [{ ...documentOf(), entities: [] }, '/entities', 'must NOT have fewer than 1 items.'],
    [[], '', 'must be object.'],
  ])('names what is wrong with %j', (document, pointer, message) => {
    expect(checkDocument('shop.json', document)).toEqual([{ file: 'shop.json', pointer, message }])
  })
})
