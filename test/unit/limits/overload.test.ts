import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPacedRuntime } from '../../../bench/overload/paced-runtime.ts'
import { createAdaptiveLimit, WINDOW_MS } from '../../../src/gateway/limits/adaptive-limit.ts'
import { createBoundedCalls } from '../../../src/gateway/limits/bounded-calls.ts'
import type { Invocation, Outcome } from '../../../src/runtime-adapters/contract.ts'
import { compiledEntities } from '../../helpers/compiled-entities.ts'

/** What `bench/overload` measures over Kafka on a real machine, in simulated time: the limits alone, without anybody's noise. */

const [account] = compiledEntities({ name: 'Account', methods: [{ name: 'add', params: [] }] })

const CAPACITY = 500
/** Milliseconds that the way to the runtime and back takes beside the work. */
const WAY_MS = 10

function callOf(key: string): Invocation {
  const method = account?.methods.get('add')
  if (account === undefined || method === undefined) throw new Error('the test’s own metadata is broken')
  const target = { kind: 'call', entity: account, key, method } as const
  return { id: key, target, args: {}, deadline: Date.now() + 10_000, context: {} }
}

interface Stream {
  readonly perSecond: number
  readonly keyOf: (n: number) => string
}

interface Seen {
  readonly perSecond: number
  readonly refused: number
  readonly p99Ms: number
}

function buildWorld() {
  const work = createPacedRuntime({ workers: 10, serviceMs: 20 })
  const limit = createAdaptiveLimit({ min: 32, max: 10_000, tolerance: 2, floorMs: 10 })
  const { bound } = createBoundedCalls({
    ...{ maxPerEntity: 0, maxPerKey: 1_000, adaptiveOf: () => limit, onShed: () => undefined },
  })
  const invoke = bound(
    ({ target }) =>
      new Promise<Outcome>((resolve) => {
        const key = target.kind === 'create' ? '' : String(target.key)
        const answer = () => resolve({ kind: 'returned', value: null })
        work({ key, reply: () => void setTimeout(answer, WAY_MS) })
      }),
  )
  const ticking = setInterval(() => limit.tick(performance.now(), false), WINDOW_MS)

  async function run(seconds: number, ...streams: readonly Stream[]): Promise<readonly Seen[]> {
    const all = streams.map((stream) => ({ ...stream, due: 0, sent: 0, refused: 0, latencies: [] as number[] }))
    for (let ms = 0; ms < seconds * 1_000; ms++) {
      for (const one of all) {
        for (one.due += one.perSecond / 1_000; one.due >= 1; one.due--) {
          const startedAtMs = performance.now()
          void invoke(callOf(one.keyOf(one.sent++))).then(({ kind }) => {
            if (kind === 'returned') one.latencies.push(performance.now() - startedAtMs)
            else one.refused++
          })
        }
      }
      await vi.advanceTimersByTimeAsync(1)
    }
    return all.map(({ latencies, refused }) => {
      latencies.sort((a, b) => a - b)
      const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? 0
      return { perSecond: latencies.length / seconds, refused, p99Ms }
    })
  }

  return { run, stop: () => clearInterval(ticking) }
}

async function one(seen: Promise<readonly Seen[]>): Promise<Seen> {
  const [first] = await seen
  if (first === undefined) throw new Error('nothing was asked')
  return first
}

describe('limits before a runtime that is asked for too much', () => {
  let world: ReturnType<typeof buildWorld>
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
    world = buildWorld()
  })
  afterEach(() => {
    world.stop()
    vi.useRealTimers()
  })

  it('keep goodput over 80 % and p99 under three times, at four times the capacity, and recover in 5 s', async () => {
    const many = (n: number) => `key-${n % 1_000}`
    const light = await one(world.run(5, { perSecond: CAPACITY / 2, keyOf: many }))
    const overload = await one(world.run(60, { perSecond: CAPACITY * 4, keyOf: many }))
    await world.run(5, { perSecond: CAPACITY / 2, keyOf: many })
    const after = await one(world.run(5, { perSecond: CAPACITY / 2, keyOf: many }))
    expect(light.refused).toBe(0)
    expect(overload.perSecond).toBeGreaterThan(0.8 * CAPACITY)
    expect(overload.p99Ms).toBeLessThan(3 * light.p99Ms)
    expect(after.refused).toBe(0)
    expect(after.p99Ms).toBeLessThanOrEqual(1.1 * light.p99Ms)
  }, 60_000)

  it('raise the p99 of others by less than 25 % beside a hot key with ten times their load, and refuse none', async () => {
    const others: Stream = { perSecond: CAPACITY / 5, keyOf: (n) => `key-${n % 40}` }
    const alone = await one(world.run(10, others))
    const [beside, hot] = await world.run(20, others, { perSecond: 10 * others.perSecond, keyOf: () => 'hot' })
    expect(beside?.refused).toBe(0)
    expect(beside?.p99Ms).toBeLessThanOrEqual(1.25 * alone.p99Ms)
    // As many as one worker can do for one key.
    expect(hot?.perSecond).toBeGreaterThan(45)
  }, 60_000)
})
