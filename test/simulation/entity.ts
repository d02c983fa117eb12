import { compileEntities } from '../../src/entity-registry/compile-entities.ts'
import { createRegistry } from '../../src/entity-registry/registry.ts'
import type { Invocation, Outcome } from '../../src/runtime-adapters/contract.ts'
import type { KafkaDialect } from '../../src/runtime-adapters/kafka/dialect.ts'

const document = {
  formatVersion: 1 as const,
  application: 'simulation',
  entities: [
    {
      name: 'Counter',
      key: { name: 'id', schema: { type: 'string' } },
      methods: [
        { name: 'add', params: [{ name: 'x', schema: { type: 'integer' } }], returns: { type: 'integer' as const } },
      ],
    },
  ],
}
const entities = compileEntities([{ file: 'simulation.json', document }])
const [counter] = entities
const add = counter?.methods.get('add')

export const registry = createRegistry(entities)

export function invocationOf(id: string, x: number, deadline: number): Invocation {
  if (counter === undefined || add === undefined) throw new Error('the simulation’s own metadata is broken')
  return {
    id,
    target: { kind: 'call', entity: counter, key: 'k', method: add },
    args: { x },
    deadline,
    context: {},
  }
}

/** What a runtime says: a value, a value of the wrong type, bytes that can't be read, or that the method failed. */
export type ReplyKind = 'value' | 'mistyped' | 'junk' | 'raised'

export interface Reply {
  readonly id: string
  readonly kind: ReplyKind
  /** No two executions have the same. */
  readonly number: number
}

export function replyBytes({ id, kind, number }: Reply): Buffer {
  return Buffer.from(`${id}|${kind}|${number}`)
}

/** Requests are `id|x`, replies `id|kind|number`. */
export const dialect: KafkaDialect = {
  name: 'simulated',
  capabilities: {
    ...{ create: false, find: false, readState: false, readAttribute: false, writeAttribute: false, atomic: true },
    enforcesReadOnly: false,
    delivery: 'at-most-once',
  },
  topics: { requests: ['requests'], replies: ['replies'] },
  encode: ({ id, args }) => ({ topic: 'requests', key: Buffer.from('k'), value: Buffer.from(`${id}|${args.x}`) }),
  correlationOf: ({ value }) => idOf(value),
  decode: ({ value }): Outcome => {
    const [, kind, number] = value.toString().split('|')
    if (kind === 'value') return { kind: 'returned', value: Number(number) }
    if (kind === 'mistyped') return { kind: 'returned', value: `text ${number}` }
    if (kind === 'raised') return { kind: 'raised', name: 'Failed', message: `it failed: ${number}` }
    return { kind: 'malformed', detail: `junk ${number}` }
  },
  ping: undefined,
  isPong: () => false,
}

export function idOf(value: Buffer): string {
  return value.toString('latin1', 0, value.indexOf('|'))
}
