import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createForeignReplies } from '../../../src/gateway/invocations/foreign-replies.ts'
import { createLivingReplicas } from '../../../src/gateway/invocations/living-replicas.ts'
import { createMemoryStore } from '../../../src/gateway/invocations/memory-store.ts'
import { createRetries } from '../../../src/gateway/invocations/retries.ts'
import { createRollCall } from '../../../src/gateway/invocations/roll-call.ts'
import { createWaitingRoom } from '../../../src/gateway/limits/waiting-room.ts'
import { withLivingWorkers } from '../../../src/gateway/workers/living-workers.ts'
import { createRestarts } from '../../../src/gateway/workers/restarts.ts'
import type { Invocation } from '../../../src/runtime-adapters/contract.ts'
import { createCanary } from '../../../src/runtime-adapters/kafka/canary.ts'
import type { KafkaDialect } from '../../../src/runtime-adapters/kafka/dialect.ts'
import type { EndpointDirectory } from '../../../src/runtime-adapters/statefun-endpoint/endpoint-directory.ts'
import { createEndpointProbe } from '../../../src/runtime-adapters/statefun-endpoint/endpoint-probe.ts'

const HOUR_MS = 3_600_000

/** The clock on the wall is set; the time that passes is not. */
function setClock(byMs: number): void {
  vi.setSystemTime(Date.now() + byMs)
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a clock that is set back', () => {
  it('does not keep an old word on the runtime for true', async () => {
    const ping = vi.fn(() => ({ topic: 't', key: Buffer.from('k'), value: Buffer.from('v') }))
    // What a canary asks of a dialect.
    const dialect = { name: 'test', ping, isPong: () => true } as unknown as KafkaDialect
    const canary = createCanary({ dialect, transport: { send: async () => ({ kind: 'acknowledged' }) } })
    const first = canary.check()
    await vi.advanceTimersByTimeAsync(1_000)
    await first
    setClock(-HOUR_MS)
    await vi.advanceTimersByTimeAsync(3_000)
    const second = canary.check()
    await vi.advanceTimersByTimeAsync(1_000)
    await second
    expect(ping).toHaveBeenCalledTimes(2)
  })

  it('does not keep an old word on functions’ endpoints for true', async () => {
    const endpoints = vi.fn(() => [])
    // What a probe asks of a directory.
    const directory = Object.defineProperty({}, 'endpoints', { get: endpoints }) as EndpointDirectory
    const probe = createEndpointProbe(directory)
    await probe.check()
    setClock(-HOUR_MS)
    await vi.advanceTimersByTimeAsync(3_000)
    await probe.check()
    expect(endpoints).toHaveBeenCalledTimes(2)
    probe.close()
  })

  it('does not keep a worker alive that is silent', async () => {
    const store = withLivingWorkers(createMemoryStore({ retentionMs: 1_000, maxRecords: 1 }))
    await store.beat('a')
    setClock(-HOUR_MS)
    await vi.advanceTimersByTimeAsync(4_000)
    expect(await store.beat('b')).toEqual(new Set(['b']))
  })

  it('does not keep replicas alive that are missing, nor trust them to read their shares', async () => {
    const living = createLivingReplicas(3_000)
    living.seen(['a', 'b'])
    living.distrust()
    const roll = createRollCall('a')
    roll.seen(new Set(['b@1/2']))
    setClock(-HOUR_MS)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(living.seen(['a'])).toEqual(new Set(['a']))
    expect(roll.holders()).toEqual([])
  })

  it('makes no line of a batch wait beyond its time', async () => {
    const room = createWaitingRoom()
    // Of an invocation, the room looks at the entity's name and the deadline.
    const line = { deadline: Date.now() + 1_000, target: { entity: { name: 'A' } } } as Invocation
    const outcome = room.wait(line, () => undefined)
    setClock(-HOUR_MS)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(room.size).toBe(0)
    expect(await outcome).toMatchObject({ kind: 'not-sent' })
  })

  it('does not make a worker that has served for long one that never could', async () => {
    const restarts = createRestarts(() => undefined)
    for (let ends = 0; ends < 10; ends++) {
      restarts.noteServing(1)
      setClock(-HOUR_MS)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(restarts.plan(1)).toBe(100)
    }
    restarts.close()
  })
})

describe('a clock that is set forward', () => {
  it('ends no write before its time', async () => {
    const retries = createRetries({ patienceMs: 60_000, maxWaiting: 1 })
    let isAway = true
    const written = retries.run(async () => {
      if (isAway) throw new Error('away')
      return 'written'
    })
    await vi.advanceTimersByTimeAsync(100)
    setClock(HOUR_MS)
    await vi.advanceTimersByTimeAsync(1_000)
    isAway = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await written).toBe('written')
    await retries.close()
  })

  it('drops no reply that is kept for a replica which may have died', () => {
    const foreign = createForeignReplies({ maxReplies: 2, maxBytes: 1_000, maxAgeMs: 1_000 })
    foreign.keep({ id: 'a', bytes: 10, arrivedAt: performance.now(), misses: 0, read: () => undefined })
    setClock(HOUR_MS)
    expect(foreign.takeDue(() => true)).toHaveLength(1)
  })
})
