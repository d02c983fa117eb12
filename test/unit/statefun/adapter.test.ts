import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import { createKafkaAdapter } from '../../../src/runtime-adapters/kafka/kafka-adapter.ts'
import { createStatefunDialect } from '../../../src/runtime-adapters/statefun/dialect.ts'
import { createMemoryBroker, createMemoryTransport } from '../../helpers/memory-transport.ts'
import { entitiesWith, id, invocationOf, ping } from './entities.ts'

const otherId = '00000000-52a1-4c1b-9a51-7d0c3f1f2b11'
const entities = entitiesWith([ping])
const nothing = () => undefined
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** An adapter whose functions answer each request as often as is said. */
async function adapterAnswering(times: number) {
  const late: Outcome[] = []
  const broker = createMemoryBroker()
  broker.createTopics({ name: 'sf-user' }, { name: 'sf-replies' })
  const adapter = createKafkaAdapter({
    dialect: createStatefunDialect({ entities }),
    transport: createMemoryTransport({ broker }),
    limits: { maxCalls: 10, maxBytes: 10_000 },
    log: silent,
    strays: { late: (_invocation, outcome) => late.push(outcome), foreign: nothing },
  })
  const stop = broker.listen(['sf-user'], ({ key, value }) => {
    const { correlation_id } = JSON.parse(value.toString())
    const reply = { correlation_id, id: key.toString(), ok: true, result: 'pong' }
    const record = { topic: 'sf-replies', key: Buffer.from(correlation_id), value: Buffer.from(JSON.stringify(reply)) }
    for (let time = 0; time < times; time++) broker.append(record)
  })
  await adapter.start()
  return { adapter, broker, late, close: () => [stop(), adapter.close()] }
}

describe('StateFun’s adapter', () => {
  it('gives a caller one answer, and drops and counts the ones that a restored job repeats', async () => {
    const { adapter, close } = await adapterAnswering(3)
    const outcome: Outcome = await adapter.invoke({
      ...invocationOf(entities, { method: 'ping' }),
      deadline: Date.now() + 5_000,
    })
    expect(outcome).toEqual({ kind: 'returned', value: 'pong' })
    expect(adapter.counters()).toMatchObject({ answered: 1, duplicate: 2, foreign: 0, unreadable: 0 })
    await Promise.all(close())
  })

  it('takes no record for an answer that only mentions the call, be it late or not', async () => {
    const { adapter, broker, late, close } = await adapterAnswering(0)
    const append = (key: string, reply: object) =>
      broker.append({ topic: 'sf-replies', key: Buffer.from(key), value: Buffer.from(JSON.stringify(reply)) })
    const mention = { ok: true, result: 'paid', cause: { correlation_id: id } }
    const call = { ...invocationOf(entities, { method: 'ping' }), deadline: Date.now() + 5_000 }
    const outcome = adapter.invoke(call)
    append('audit', mention)
    append('alice', { correlation_id: id, ok: false, error: { message: 'no money' } })
    expect(await outcome).toEqual({ kind: 'raised', message: 'no money' })
    const silent = { ...call, id: otherId, deadline: Date.now() + 1 }
    expect(await adapter.invoke(silent)).toMatchObject({ kind: 'unknown' })
    append('audit', { ...mention, cause: { correlation_id: otherId } })
    append('alice', { correlation_id: otherId, ok: true })
    expect(late).toEqual([{ kind: 'returned', value: null }])
    expect(adapter.counters()).toMatchObject({ answered: 1, late: 1, foreign: 2, unreadable: 0 })
    await Promise.all(close())
  })

  it('takes no record that mentions the call for an answer that can’t be read', async () => {
    const { adapter, broker, close } = await adapterAnswering(0)
    const append = (key: string, record: object) =>
      broker.append({ topic: 'sf-replies', key: Buffer.from(key), value: Buffer.from(JSON.stringify(record)) })
    const outcome = adapter.invoke({ ...invocationOf(entities, { method: 'ping' }), deadline: Date.now() + 5_000 })
    append('audit', { event: 'paid', cause: { correlation_id: id } })
    append('alice', { correlation_id: id, ok: true, result: 5 })
    expect(await outcome).toEqual({ kind: 'returned', value: 5 })
    expect(adapter.counters()).toMatchObject({ answered: 1, foreign: 1, duplicate: 0, unreadable: 0 })
    await Promise.all(close())
  })

  it('takes an answer without the call’s id that is keyed by it', async () => {
    const { adapter, broker, close } = await adapterAnswering(0)
    const outcome = adapter.invoke({ ...invocationOf(entities, { method: 'ping' }), deadline: Date.now() + 5_000 })
    broker.append({ topic: 'sf-replies', key: Buffer.from(id), value: Buffer.from('{"ok":true,"result":5}') })
    expect(await outcome).toEqual({ kind: 'returned', value: 5 })
    await Promise.all(close())
  })

  it('produces nothing for a call that would end the job', async () => {
    const { adapter, broker, close } = await adapterAnswering(1)
    const poisoned = { ...invocationOf(entities, { method: 'ping', key: '' }), deadline: Date.now() + 5_000 }
    expect(await adapter.invoke(poisoned)).toMatchObject({ kind: 'not-sent', cause: 'unsupported' })
    expect(broker.records('sf-user')).toEqual([])
    await Promise.all(close())
  })

  it('has no ping of its own, so health asks the brokers alone', async () => {
    const { adapter, broker, close } = await adapterAnswering(1)
    expect((await adapter.health()).map(({ name, ok }) => [name, ok])).toEqual([['kafka', true]])
    expect(broker.records('sf-user').map(({ key }) => key.toString())).not.toContain(id)
    await Promise.all(close())
  })
})
