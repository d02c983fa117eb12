import { readFileSync } from 'node:fs'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import type { EntityDescriptor } from '../../../src/entity-registry/descriptor.ts'
import { loadMetadata } from '../../../src/entity-registry/load-metadata.ts'
import type { MetadataDocument, MetadataMethod } from '../../../src/entity-registry/metadata-schema.ts'
import type { Invocation, Key, Target } from '../../../src/runtime-adapters/contract.ts'
import type { KafkaDialect } from '../../../src/runtime-adapters/kafka/dialect.ts'
import type { KafkaRecord, ReceivedRecord } from '../../../src/runtime-adapters/kafka/transport.ts'

const GOLDEN = new URL('../../golden/stateflow/', import.meta.url).pathname

/** User and Item of upstream’s `demo_common.py`. */
export const demoEntities: readonly EntityDescriptor[] = compileEntities(loadMetadata([`${GOLDEN}demo.metadata.json`]))

export interface GoldenCall {
  readonly kind: Target['kind'] | 'ping'
  readonly entity?: string
  readonly key?: string
  readonly method?: string
  readonly attribute?: string
  readonly value?: unknown
  readonly args?: Readonly<Record<string, unknown>>
}

export interface GoldenSample {
  readonly sample: string
  readonly id: string
  readonly call: GoldenCall
  readonly request: { readonly topic: string; readonly valueBase64: string }
  readonly reply: {
    readonly type: string
    readonly payload: Readonly<Record<string, unknown>>
    readonly valueBase64: string
  }
}

export function goldenSamples(serializer: 'pickle' | 'json'): readonly GoldenSample[] {
  // The file’s form is `GoldenSample`; it is data of this repository.
  return (JSON.parse(readFileSync(`${GOLDEN}${serializer}.json`, 'utf8')) as { samples: GoldenSample[] }).samples
}

export function entityNamed(name: string, entities = demoEntities): EntityDescriptor {
  return found(
    entities.find((entity) => entity.name === name),
    name,
  )
}

export function invocationOf(call: GoldenCall, id: string, entities = demoEntities): Invocation {
  return { id, target: targetOf(call, entities), args: call.args ?? {}, deadline: 0, context: {} }
}

function targetOf(call: GoldenCall & { readonly key?: Key }, entities: readonly EntityDescriptor[]): Target {
  const entity = entityNamed(call.entity ?? 'User', entities)
  const key: Key = call.key ?? ''
  const attribute = () => found(entity.attributes.get(call.attribute ?? ''), call.attribute)
  switch (call.kind) {
    case 'create':
      return { kind: 'create', entity }
    case 'find':
    case 'read-state':
    case 'ping':
      return { kind: call.kind === 'ping' ? 'find' : call.kind, entity, key }
    case 'read-attribute':
      return { kind: 'read-attribute', entity, key, attribute: attribute() }
    case 'write-attribute':
      return { kind: 'write-attribute', entity, key, attribute: attribute(), value: call.value }
    case 'call':
      return { kind: 'call', entity, key, method: found(entity.methods.get(call.method ?? ''), call.method) }
  }
}

export function received(value: Buffer, key: Buffer = Buffer.alloc(0)): ReceivedRecord {
  return { topic: 'client_reply', partition: 0, offset: 0n, key, value }
}

/** Entities with one method that takes what is given. */
export function entitiesWith(
  methods: readonly MetadataMethod[],
  more: Partial<MetadataDocument['entities'][number]> = {},
): readonly EntityDescriptor[] {
  const document: MetadataDocument = {
    formatVersion: 1,
    application: 'test',
    runtime: { name: 'stateflow' },
    entities: [
      {
        name: 'Thing',
        key: { name: 'id', schema: { type: 'string' } },
        state: { id: { type: 'string' }, size: { type: 'number' } },
        create: { params: [{ name: 'id', schema: { type: 'string' } }] },
        methods: [...methods],
        ...more,
      },
    ],
  }
  return compileEntities([{ file: 'test.json', document }])
}

export function found<T>(value: T | undefined, name: unknown): T {
  if (value === undefined) throw new Error(`There is no ${String(name)}.`)
  return value
}

/** The record of an invocation that the dialect does not refuse. */
export function recordOf(dialect: KafkaDialect, invocation: Invocation): KafkaRecord {
  const record = dialect.encode(invocation)
  if ('kind' in record) throw new Error(record.detail)
  return record
}
