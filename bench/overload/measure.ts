import { setTimeout as sleep } from 'node:timers/promises'
import { KEYS, userOf } from '../work.ts'
import { type Figures, figuresOf, recoverySeconds } from './figures.ts'
import { type MetricReader, readMetrics } from './gateway-metrics.ts'
import { type Measured, type OpenLoad, openLoad, type Stream } from './open-load.ts'
import type { OverloadOptions } from './options.ts'

export interface Overload {
  readonly light: Figures
  readonly overload: Figures
  /** Half of the capacity again. */
  readonly after: Figures
  readonly recoverySeconds: number
  /** The most of the second third of the overload, and of its last; in the first the process is still warming up. */
  readonly heapBytes: readonly [second: number, last: number]
  /** Mean of the limit; 0 without one. */
  readonly limit: number
  /** Calls of other keys, without a hot key and with one. */
  readonly others: Figures
  readonly othersBesideHot: Figures
  readonly hot: Figures
}

const HEAP = 'nodejs_heap_size_used_bytes'
const LIMIT = 'gateway_call_limit'
const CONNECTIONS = 400
const OTHER_KEYS = 40
/** Of the capacity: calls of the others together. */
const OTHERS_LOAD = 0.2
const HOT = 'hot'
const HOT_FACTOR = 10

/** All phases against one gateway. */
export async function measureOverload(port: number, options: OverloadOptions): Promise<Overload> {
  const load = await openLoad(port, CONNECTIONS)
  try {
    return { ...(await underLoad(load, port, options)), ...(await besideHotKey(load, options)) }
  } finally {
    load.close()
  }
}

async function underLoad(load: OpenLoad, port: number, { capacity, overloadSeconds, lightSeconds }: OverloadOptions) {
  const all = (perSecond: number): readonly Stream[] => [{ perSecond, keyOf: userOf }]
  await load.run({ seconds: 10, streams: all(capacity / 2) })
  const light = figuresOf(await load.run({ seconds: lightSeconds, streams: all(capacity / 2) }))
  const metrics = readMetrics(port, [HEAP, LIMIT])
  const overload = figuresOf(await load.run({ seconds: overloadSeconds, streams: all(capacity * 4) }))
  metrics.stop()
  const after = await load.run({ seconds: 15, streams: all(capacity / 2) })
  return {
    light,
    overload,
    after: figuresOf(after),
    recoverySeconds: recoverySeconds(after, 2 * light.p99Ms),
    heapBytes: heapOf(metrics),
    limit: mean(metrics.samples.map((sample) => sample[LIMIT] ?? 0)),
  }
}

function heapOf({ samples }: MetricReader): readonly [number, number] {
  const heap = samples.map((sample) => sample[HEAP] ?? 0)
  const third = Math.ceil(heap.length / 3)
  return [Math.max(...heap.slice(third, -third)), Math.max(...heap.slice(-third))]
}

/** In turns, so that a machine that slows down slows down both. */
async function besideHotKey(load: OpenLoad, { capacity, hotRounds, hotSeconds }: OverloadOptions) {
  const perSecond = capacity * OTHERS_LOAD
  const others: Stream = { perSecond, keyOf: (n) => userOf(KEYS - 1 - (n % OTHER_KEYS)) }
  const hot: Stream = { perSecond: perSecond * HOT_FACTOR, keyOf: () => HOT }
  const alone: Measured[] = []
  const beside: Measured[] = []
  for (let round = 0; round < hotRounds; round++) {
    alone.push(await load.run({ seconds: hotSeconds, streams: [others] }))
    await sleep(500)
    beside.push(await load.run({ seconds: hotSeconds, streams: [others, hot] }))
    await sleep(500)
  }
  return {
    others: figuresOf(joined(alone)),
    othersBesideHot: figuresOf(joined(beside), ({ key }) => key !== HOT),
    hot: figuresOf(joined(beside), ({ key }) => key === HOT),
  }
}

function joined(all: readonly Measured[]): Measured {
  const sum = (value: (one: Measured) => number) => all.reduce((total, one) => total + value(one), 0)
  return {
    seen: all.flatMap(({ seen }) => seen),
    unsent: sum(({ unsent }) => unsent),
    seconds: sum(({ seconds }) => seconds),
    startedAtMs: 0,
  }
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
