import type { EntityDescriptor } from '../src/entity-registry/descriptor.ts'
import type { Invocation } from '../src/runtime-adapters/contract.ts'
import type { KafkaDialect } from '../src/runtime-adapters/kafka/dialect.ts'
import type { KafkaRecord } from '../src/runtime-adapters/kafka/transport.ts'
import { argsOf, KEYS, userOf } from './work.ts'

export interface PreparedCall {
  readonly id: string
  readonly record: KafkaRecord
}

interface Template {
  readonly record: KafkaRecord
  /** Byte of the value at which the id stands. */
  readonly idAt: number
}

const ID_PREFIX = '00000000-0000-4000-8000-'
const SERIAL_DIGITS = 12

/** The gateway's own records, made beforehand: each call only copies one and writes its id into it. */
export function prepareRecords(dialect: KafkaDialect, entities: readonly EntityDescriptor[]): () => PreparedCall {
  const entity = entities.find(({ name }) => name === 'User')
  const method = entity?.methods.get('buy_item')
  if (entity === undefined || method === undefined) throw new Error('the metadata has no User.buy_item')
  const templates = Array.from({ length: KEYS }, (_, index): Template => {
    const id = ID_PREFIX + '0'.repeat(SERIAL_DIGITS)
    const target = { kind: 'call', entity, key: userOf(index), method } as const
    const invocation: Invocation = { id, target, args: argsOf(index), deadline: 0, context: {} }
    const record = dialect.encode(invocation)
    if ('kind' in record) throw new Error(record.detail)
    return { record, idAt: record.value.indexOf(id) }
  })
  let serial = 0
  return () => {
    const template = templates[serial % KEYS]
    if (template === undefined) throw new Error('no records were prepared')
    const id = ID_PREFIX + (++serial).toString(16).padStart(SERIAL_DIGITS, '0')
    const value = Buffer.from(template.record.value)
    value.write(id, template.idAt, 'latin1')
    return { id, record: { ...template.record, value } }
  }
}
