import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import { createStateflowDialect } from '../../../src/runtime-adapters/stateflow/dialect.ts'
import { readPickle } from '../../../src/runtime-adapters/stateflow/pickle-reader.ts'
import { PythonEnumMember, PythonObject } from '../../../src/runtime-adapters/stateflow/python-objects.ts'
import { demoEntities, type GoldenSample, goldenSamples, invocationOf, received, recordOf } from './entities.ts'

const pickle = createStateflowDialect({ serializer: 'pickle', routing: 'dataflow', entities: demoEntities })
const json = createStateflowDialect({ serializer: 'json', routing: 'dataflow', entities: demoEntities })

function requestBytes(dialect: typeof pickle, { call, id }: GoldenSample): Buffer {
  if (call.kind !== 'ping') return recordOf(dialect, invocationOf(call, id)).value
  const ping = dialect.ping?.(id)
  if (ping === undefined) throw new Error('There is no ping.')
  return ping.value
}

const bytes = (base64: string) => Buffer.from(base64, 'base64')
const isFlow = ({ call }: GoldenSample) => call.method !== undefined && !/balance|stock/.test(call.method)

/** What an unpickled event says, whatever its objects share and however its memo is numbered. */
function facts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(facts)
  if (value instanceof PythonEnumMember) return `${value.enumName}.${value.value}`
  if (value instanceof PythonObject) return { class: value.className, ...mapFacts(value.attributes) }
  if (value instanceof Map) return mapFacts(value)
  return value
}

function mapFacts(map: ReadonlyMap<unknown, unknown>): object {
  // Only StateFlow’s compiler reads the ids of blocks; its JSON does not carry them.
  const members = [...map].filter(([name]) => !/_block_id$/.test(String(name)))
  return Object.fromEntries(members.map(([name, member]) => [String(name), sortNodes(name, facts(member))]))
}

/** JSON objects put `2` before `12`, so a graph that went through JSON lists its nodes in another order. */
function sortNodes(name: unknown, value: unknown): unknown {
  if (name !== 'graph' || !Array.isArray(value)) return value
  return value.toSorted((a: { id: number }, b: { id: number }) => a.id - b.id)
}

describe('requests in pickle', () => {
  const samples = goldenSamples('pickle')

  it.each(samples.filter((sample) => !isFlow(sample)))('are the recorded bytes: $sample', (sample) => {
    expect(requestBytes(pickle, sample).toString('latin1')).toBe(bytes(sample.request.valueBase64).toString('latin1'))
  })

  it.each(samples.filter(isFlow))('hold the recorded flow: $sample', (sample) => {
    const written = facts(readPickle(requestBytes(pickle, sample)))
    expect(written).toEqual(facts(readPickle(bytes(sample.request.valueBase64))))
  })

  it('let the graph and its index share their nodes, as the runtime relies on', () => {
    for (const sample of samples.filter(isFlow)) {
      const event = readPickle(requestBytes(pickle, sample))
      const payload = event instanceof PythonObject ? event.attributes.get('payload') : undefined
      const flow = payload instanceof Map ? payload.get('flow') : undefined
      const attributes = flow instanceof PythonObject ? flow.attributes : new Map<string, unknown>()
      const index = attributes.get('id_to_node')
      const nodes = index instanceof Map ? [...index.values()] : []
      expect(attributes.get('graph')).toEqual(nodes)
      expect(nodes.length).toBeGreaterThan(3)
      expect(new Set(nodes).has(attributes.get('current_node'))).toBe(true)
    }
  })
})

describe('requests in JSON', () => {
  it.each(goldenSamples('json'))('say what was recorded: $sample', (sample) => {
    const recorded = bytes(sample.request.valueBase64).toString()
    expect(JSON.parse(requestBytes(json, sample).toString())).toEqual(JSON.parse(recorded))
    if (!isFlow(sample)) expect(requestBytes(json, sample).toString()).toBe(recorded)
  })
})

const effect = 'none'
const missing: Outcome = {
  kind: 'rejected',
  reason: 'entity-not-found',
  detail: 'Stateful instance with key=no-such-user does not exist.',
  effect,
}

/** What each recorded reply means to a caller. */
const outcomes: Readonly<Record<string, Outcome>> = {
  'eventflow-buy_item-false': { kind: 'returned', value: false },
  'eventflow-buy_item-missing-item': {
    kind: 'rejected',
    reason: 'entity-not-found',
    detail:
      'The entity itself, or one that the method refers to, does not exist; the runtime does not say which. ' +
      'What the method had done until then was not undone.',
    effect: 'partial',
  },
  'eventflow-buy_item-true': { kind: 'returned', value: true },
  'eventflow-simple_for_loop': { kind: 'returned', value: 2 },
  'eventflow-state_requests': { kind: 'returned', value: 29 },
  'find-user-missing': missing,
  'find-user': { kind: 'returned', value: null },
  'getstate-balance': { kind: 'returned', value: 21 },
  'getstate-items': { kind: 'returned', value: [] },
  'init-item-2': { kind: 'created', key: 'gold-item-2' },
  'init-item': { kind: 'created', key: 'gold-item' },
  'init-user-2': { kind: 'created', key: 'gold-user-2' },
  'init-user-duplicate': {
    kind: 'rejected',
    reason: 'entity-exists',
    detail: 'global/User class with key=gold-user already exists.',
    effect,
  },
  'init-user': { kind: 'created', key: 'gold-user' },
  'invoke-get_balance': { kind: 'returned', value: 21 },
  'invoke-missing-key': missing,
  'invoke-raises': { kind: 'raised', message: "unsupported operand type(s) for +=: 'int' and 'str'" },
  'invoke-set_stock': { kind: 'returned', value: null },
  'invoke-update_balance': { kind: 'returned', value: null },
  'invoke-update_stock': { kind: 'returned', value: true },
  'updatestate-balance': { kind: 'returned', value: null },
}

describe.each(['pickle', 'json'] as const)('replies in %s', (serializer) => {
  const dialect = serializer === 'pickle' ? pickle : json
  const samples = goldenSamples(serializer)
  const calls = samples.filter(({ call }) => call.kind !== 'ping')

  it.each(calls)('mean to a caller what they say: $sample', ({ sample, call, id, reply }) => {
    expect(dialect.decode(received(bytes(reply.valueBase64)), invocationOf(call, id))).toEqual(outcomes[sample])
  })

  it.each(samples)('are found by their id without parsing, request and reply: $sample', (sample) => {
    expect(dialect.correlationOf(received(bytes(sample.reply.valueBase64)))).toBe(sample.id)
    expect(dialect.correlationOf(received(bytes(sample.request.valueBase64)))).toBe(sample.id)
  })

  it('are pongs only where they answer a ping', () => {
    for (const { call, reply } of samples) {
      expect(dialect.isPong(received(bytes(reply.valueBase64)))).toBe(call.kind === 'ping')
    }
  })
})
