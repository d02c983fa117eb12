import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../../../src/entity-registry/descriptor.ts'
import type { MetadataDocument, MetadataMethod } from '../../../src/entity-registry/metadata-schema.ts'
import type { Invocation, Key, Target } from '../../../src/runtime-adapters/contract.ts'
import type { KafkaDialect } from '../../../src/runtime-adapters/kafka/dialect.ts'
import type { KafkaRecord, ReceivedRecord } from '../../../src/runtime-adapters/kafka/transport.ts'
import { createStatefunDialect } from '../../../src/runtime-adapters/statefun/dialect.ts'

export type Runtime = Readonly<Record<string, unknown>>
type MetadataEntity = MetadataDocument['entities'][number]

export const id = '46fd544e-52a1-4c1b-9a51-7d0c3f1f2b11'

export const shopRuntime: Runtime = {
  function: 'shop/user',
  topic: 'sf-user',
  valueType: 'shop/request',
  replyTopics: ['sf-replies'],
}

const defaultCreate: Create = {
  params: [
    { name: 'username', schema: { type: 'string' } },
    { name: 'balance', schema: { type: 'integer' }, required: false },
  ],
}

type Create = NonNullable<MetadataEntity['create']>
type More = Partial<Omit<MetadataEntity, 'create'>> & { readonly create?: Create | 'none' }

/** One entity, `User`, with what is given in place of its members. */
export function entitiesWith(
  methods: readonly MetadataMethod[],
  runtime: Runtime = {},
  { create = defaultCreate, ...more }: More = {},
): readonly EntityDescriptor[] {
  const user: MetadataEntity = {
    name: 'User',
    key: { name: 'username', schema: { type: 'string' } },
    state: { balance: { type: 'integer' } },
    methods: [...methods],
    runtime: { ...shopRuntime, ...runtime },
    ...more,
    ...(create === 'none' ? {} : { create }),
  }
  const item: MetadataEntity = {
    name: 'Item',
    key: { name: 'item_name', schema: { type: 'string' } },
    methods: [],
    runtime: { ...shopRuntime, function: 'shop/item', topic: 'sf-item' },
  }
  const document: MetadataDocument = {
    formatVersion: 1,
    application: 'shop',
    runtime: { name: 'statefun' },
    entities: [user, item],
  }
  return compileEntities([{ file: 'shop.json', document }])
}

export const buyItem: MetadataMethod = {
  name: 'buy_item',
  params: [
    { name: 'amount', schema: { type: 'integer' } },
    { name: 'item', entity: 'Item' },
  ],
  returns: { type: 'boolean' },
}

export const ping: MetadataMethod = { name: 'ping', params: [] }

export interface Asked {
  readonly kind?: Target['kind']
  readonly key?: Key
  readonly method?: string
  readonly attribute?: string
  readonly args?: Readonly<Record<string, unknown>>
}

export function invocationOf(entities: readonly EntityDescriptor[], asked: Asked, callId = id): Invocation {
  const entity = found(entities[0], 'entity')
  return { id: callId, target: targetOf(entity, asked), args: asked.args ?? {}, deadline: 0, context: {} }
}

function targetOf(
  entity: EntityDescriptor,
  { kind = 'call', key = 'alice', method = '', attribute = '' }: Asked,
): Target {
  switch (kind) {
    case 'create':
      return { kind, entity }
    case 'find':
    case 'read-state':
      return { kind, entity, key }
    case 'read-attribute':
      return { kind, entity, key, attribute: found(entity.attributes.get(attribute), attribute) }
    case 'write-attribute':
      return { kind, entity, key, attribute: found(entity.attributes.get(attribute), attribute), value: 1 }
    case 'call':
      return { kind, entity, key, method: found(entity.methods.get(method), method) }
  }
}

export function received(value: Buffer | string, key: Buffer | string = ''): ReceivedRecord {
  return { topic: 'sf-replies', partition: 0, offset: 0n, key: Buffer.from(key), value: Buffer.from(value) }
}

export function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`There is no ${name}.`)
  return value
}

/** A dialect for one method, and what it writes and reads for it. */
export interface Asking {
  readonly dialect: KafkaDialect
  request(asked: Asked): KafkaRecord
  /** Why it is not sent. */
  refusal(asked: Asked): string
  answer(value: Buffer | string, asked: Asked): ReturnType<KafkaDialect['decode']>
}

export function asking(entities: readonly EntityDescriptor[]): Asking {
  const dialect = createStatefunDialect({ entities })
  return {
    dialect,
    request(asked) {
      const record = dialect.encode(invocationOf(entities, asked))
      if ('kind' in record) throw new Error(record.detail)
      return record
    },
    refusal(asked) {
      const record = dialect.encode(invocationOf(entities, asked))
      if (!('kind' in record)) throw new Error(`sent: ${record.value}`)
      return record.detail
    },
    answer: (value, asked) => dialect.decode(received(value, id), invocationOf(entities, asked)),
  }
}
