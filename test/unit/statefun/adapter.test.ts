import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/runtime-adapters/contract.ts'
import { createKafkaAdapter } from '../../../src/runtime-adapters/kafka/kafka-adapter.ts'
import { createMemoryBroker, createMemoryTransport } from '../../../src/runtime-adapters/kafka/memory-transport.ts'
import { createStatefunDialect } from '../../../src/runtime-adapters/statefun/dialect.ts'
import { entitiesWith, id, invocationOf, ping } from './entities.ts'

const entities = entitiesWith([ping])
const nothing = () => undefined
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** An adapter whose functions answer each request as often as is said. */
async function adapterAnswering(times: number) {
  const broker = createMemoryBroker()
  broker.createTopics({ name: 'sf-user' }, { name: 'sf-replies' })
  const adapter = createKafkaAdapter({
    dialect: createStatefunDialect({ entities }),
    transport: createMemoryTransport({ broker }),
    limits: { maxCalls: 10, maxBytes: 10_000 },
    log: silent,
  })
  const stop = broker.listen(['sf-user'], ({ key, value }) => {
    const { correlation_id } = JSON.parse(value.toString())
    const reply = { correlation_id, id: key.toString(), ok: true, result: 'pong' }
    const record = { topic: 'sf-replies', key: Buffer.from(correlation_id), value: Buffer.from(JSON.stringify(reply)) }
    for (let time = 0; time < times; time++) broker.append(record)
  })
  await adapter.start()
  return { adapter, broker, close: () => [stop(), adapter.close()] }
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
