import { setImmediate } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { compileEntities } from '../../../src/entity-registry/compile-entities.ts'
import { LONGEST_TIMER_MS } from '../../../src/entity-registry/longest-timer.ts'
import { createRegistry } from '../../../src/entity-registry/registry.ts'
import { readConfig } from '../../../src/gateway/config.ts'
import type { Front } from '../../../src/gateway/front.ts'
import type { Generation } from '../../../src/gateway/generation.ts'
import { createGenerations, type Generations } from '../../../src/gateway/generations.ts'
import { createSwap } from '../../../src/gateway/reload/swap.ts'
import { silentLog } from '../../conformance/embedded-runtime.ts'

/** Of an entity whose methods have these deadlines. Its end is the test's. */
function generationOf(...deadlinesMs: readonly number[]) {
  const entities = [
    {
      name: 'Thing',
      key: { name: 'id', schema: { type: 'string' } },
      methods: ['first', 'second'].map((name) => ({ name, params: [] })),
    },
  ]
  const document = { formatVersion: 1 as const, application: 'test', entities }
  const names = ['Thing.first', 'Thing.second']
  const byName = new Map(deadlinesMs.map((deadlineMs, at) => [names[at] ?? '', { deadlineMs }]))
  const registry = createRegistry(
    compileEntities([{ file: 'test.json', document }], { file: 'overrides.json', byName }),
  )
  const end = Promise.withResolvers<void>()
  const retire = vi.fn<Generation['retire']>(() => end.promise)
  const close = vi.fn<Generation['close']>(async () => undefined)
  const begin = vi.fn<Generation['begin']>()
  const generation = { ...{ registry, retire, close, handle: vi.fn(), begin } } as unknown as Generation
  return { generation, begin, retire, close, end }
}

function startWith(first: Generation, env: Readonly<Record<string, string>> = {}) {
  const { config } = readConfig({ env, argv: [] })
  const front = { lead: vi.fn<Front['lead']>() } as unknown as Front
  const log = { ...silentLog, error: vi.fn() }
  return { generations: createGenerations(first, { front, managementFront: undefined, config, log }), log }
}

async function isOver(ended: Promise<unknown>): Promise<boolean> {
  let over = false
  void ended.then(() => {
    over = true
  })
  await setImmediate()
  return over
}

describe('a generation', () => {
  it('begins once, when it serves', () => {
    const [first, second] = [generationOf(), generationOf()]
    const { generations } = startWith(first.generation)
    expect([first, second].map(({ begin }) => begin.mock.calls.length)).toEqual([1, 0])
    generations.follow(second.generation)
    expect([first, second].map(({ begin }) => begin.mock.calls.length)).toEqual([1, 1])
  })
})

describe('a generation that another follows', () => {
  it.each([
    ['as a caller may wish to wait, and the grace', '400', [], 500],
    ['as a call may take whose caller has no wish, and the grace', '200', [], 400],
    ['as any of its methods may take, and the grace', '400', [1, 700], 800],
    ['as a timer can last', '400', [LONGEST_TIMER_MS, 1], LONGEST_TIMER_MS],
  ])('has as long for its requests %s', (_what, maxWaitMs, deadlinesMs, patienceMs) => {
    const first = generationOf(...deadlinesMs)
    const env = { GATEWAY_DEADLINE_MS: '300', GATEWAY_MAX_WAIT_MS: maxWaitMs, GATEWAY_SHUTDOWN_GRACE_MS: '100' }
    const { generations } = startWith(first.generation, env)
    expect(first.retire).not.toHaveBeenCalled()
    generations.follow(generationOf().generation)
    expect(first.retire.mock.calls).toEqual([[patienceMs]])
  })

  it('holds up what waits for all that have served until then, and no more than these', async () => {
    const [first, second, third] = [generationOf(), generationOf(), generationOf()]
    const { generations } = startWith(first.generation)
    generations.follow(second.generation)
    const ended = generations.ended()
    generations.follow(third.generation)
    first.end.resolve()
    expect(await isOver(ended)).toBe(false)
    second.end.resolve()
    expect(await isOver(ended)).toBe(true)
    expect([generations.current, generations.number]).toEqual([third.generation, 3])
  })

  it('counts as ended where its end fails, which is logged', async () => {
    const first = generationOf()
    const { generations, log } = startWith(first.generation)
    const ended = generations.ended()
    generations.follow(generationOf().generation)
    first.end.reject(new Error('It is stuck.'))
    expect(await isOver(ended)).toBe(true)
    expect(log.error).toHaveBeenCalledOnce()
  })

  it('is closed with the one that serves, as long as it has not ended', async () => {
    const [first, second, third] = [generationOf(), generationOf(), generationOf()]
    const { generations } = startWith(first.generation)
    generations.follow(second.generation)
    generations.follow(third.generation)
    first.end.resolve()
    await setImmediate()
    await generations.close()
    expect([first, second, third].map(({ close }) => close.mock.calls.length)).toEqual([0, 1, 1])
  })
})

describe('generations that are closed together', () => {
  it('are waited for also where one of them can’t be closed, which is told', async () => {
    const [first, second] = [generationOf(), generationOf()]
    const { generations } = startWith(first.generation)
    generations.follow(second.generation)
    const ended = Promise.withResolvers<void>()
    first.close.mockRejectedValue(new Error('It is stuck.'))
    second.close.mockReturnValue(ended.promise)
    const closed = generations.close().catch((error: unknown) => error)
    expect(await isOver(closed)).toBe(false)
    ended.resolve()
    expect(await closed).toMatchObject({ message: 'It is stuck.' })
  })
})

describe('a swap', () => {
  function swapOf({ isDraining = false, make = async () => generationOf().generation } = {}) {
    const order: string[] = []
    const prepared = {
      ...{ entities: [], capabilitiesOf: vi.fn() },
      commit: vi.fn((_disused: Promise<unknown>) => void order.push('committed')),
      abandon: vi.fn(async () => void order.push('abandoned')),
    }
    const generations = {
      ended: () => {
        order.push('asked who ends')
        return Promise.resolve()
      },
      follow: () => void order.push('followed'),
    } as unknown as Generations
    const swap = createSwap({
      ...{ generations, make, drain: { isDraining: () => isDraining } },
      runtimes: { prepare: async () => prepared } as never,
      strays: { know: () => void order.push('known') } as never,
    })
    return { swap: () => swap([]), order }
  }

  it('asks who is to end before another serves', async () => {
    const { swap, order } = swapOf()
    await swap()
    expect(order).toEqual(['asked who ends', 'committed', 'known', 'followed'])
  })

  it('gives up what was prepared where no generation can be made', async () => {
    const make = async () => {
      throw new Error('Only once.')
    }
    const { swap, order } = swapOf({ make })
    await expect(swap()).rejects.toThrow('Only once.')
    expect(order).toEqual(['abandoned'])
  })

  it('gives up everything where the gateway stops by then, be it that what it has made can’t be closed', async () => {
    const made = generationOf()
    made.close.mockRejectedValue(new Error('It is stuck.'))
    const { swap, order } = swapOf({ isDraining: true, make: async () => made.generation })
    await expect(swap()).rejects.toThrow('It is stuck.')
    expect([order, made.close.mock.calls.length]).toEqual([['abandoned'], 1])
  })
})
