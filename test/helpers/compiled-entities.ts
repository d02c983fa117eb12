import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../../src/entity-registry/descriptor.ts'
import type { MetadataDocument } from '../../src/entity-registry/metadata-schema.ts'

type MetadataEntity = MetadataDocument['entities'][number]

/** Entities as a gateway has them, with what the test says of them; their key is a text `id`. */
export function compiledEntities(
  ...entities: readonly (Pick<MetadataEntity, 'name'> & Partial<MetadataEntity>)[]
): readonly EntityDescriptor[] {
  const document: MetadataDocument = {
    formatVersion: 1,
    application: 'test',
    entities: entities.map((entity) => ({ key: { name: 'id', schema: { type: 'string' } }, methods: [], ...entity })),
  }
  return compileEntities([{ file: 'test.json', document }])
}
