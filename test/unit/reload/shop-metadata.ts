import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import type { EntityDescriptor, JsonSchema } from '../../../src/entity-registry/descriptor.ts'
import type { LoadedDocument } from '../../../src/entity-registry/load-metadata.ts'
import type { MetadataEntity } from '../../../src/entity-registry/metadata-schema.ts'
import type { Override } from '../../../src/entity-registry/overrides.ts'

/** What the tests of reloading change, one thing at a time. */
export type Method = MetadataEntity['methods'][number]

export const buy: Method = {
  name: 'buy',
  params: [
    { name: 'amount', schema: { type: 'integer', minimum: 1 } },
    { name: 'note', schema: { type: 'string' }, required: false },
  ],
  returns: { type: ['integer', 'null'] },
  errors: { OutOfStock: { status: 409 } },
}

export const user: MetadataEntity = {
  name: 'User',
  key: { name: 'name', schema: { type: 'string' } },
  state: { name: { type: 'string' }, balance: { type: 'integer' } },
  create: { params: [{ name: 'name', schema: { type: 'string' } }] },
  methods: [buy, { name: 'leave', params: [] }],
}

export function documentOf(...entities: readonly MetadataEntity[]): LoadedDocument {
  return { file: 'shop.json', document: { formatVersion: 1, application: 'shop', entities: [...entities] } }
}

export function compile(
  entities: readonly MetadataEntity[],
  overrides: Readonly<Record<string, Override>> = {},
): readonly EntityDescriptor[] {
  return compileEntities([documentOf(...entities)], {
    file: 'overrides.json',
    byName: new Map(Object.entries(overrides)),
  })
}

/** The user, with another `buy`. */
export function buying(change: Partial<Method>): MetadataEntity {
  return { ...user, methods: [{ ...buy, ...change }, ...user.methods.slice(1)] }
}

export function amountOf(schema: JsonSchema): MetadataEntity {
  return buying({ params: [{ name: 'amount', schema }, ...buy.params.slice(1)] })
}
