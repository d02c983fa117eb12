import { describe, expect, it } from 'vitest'
import type { MetricDefinition } from '../../../src/gateway/observability/metric-definition.ts'
import type { MetricReading } from '../../../src/gateway/observability/metric-reading.ts'
import type { Member } from '../../../src/gateway/workers/crew.ts'
import { createTogether, type TogetherOptions } from '../../../src/gateway/workers/together.ts'
import type { HealthCheck } from '../../../src/runtime-adapters/contract.ts'

const counter: MetricDefinition = { name: 'tests_total', kind: 'counter', help: 'Tests.', labels: [] }

function counted(value: number): readonly MetricReading[] {
  return [{ definition: counter, cells: [{ kind: 'number', labels: [], value }] }]
}

interface Answers {
  readonly metrics?: readonly MetricReading[] | undefined
  readonly checks?: readonly HealthCheck[] | undefined
}

/** Workers that answer as they are told; `undefined`: not at all. */
function start(answers: Record<number, Answers>, crewOf: Partial<TogetherOptions['crew']> = {}) {
  const members = new Map<number, Member>()
  const memberOf = (number: number): Member => {
    // Nothing but its number is looked at.
    const member = members.get(number) ?? ({ number } as Member)
    members.set(number, member)
    return member
  }
  const askAll = async (op: string) =>
    Object.entries(answers).map(([number, { metrics, checks }]) => ({
      member: memberOf(Number(number)),
      answer: op === 'own-metrics' ? metrics : checks,
    }))
  const crew = { servingCount: Object.keys(answers).length, haveAllServed: true, ...crewOf, askAll }
  // As `askAll`, it answers what it is asked for.
  const together = createTogether({ crew: crew as TogetherOptions['crew'], count: 2, own: () => [] })
  const total = async () => Number(/^tests_total (\d+)$/m.exec(await together.metrics())?.[1])
  return { together, total, memberOf, answers }
}

describe('the metrics of all workers', () => {
  it('count a worker that does not answer as it was last seen', async () => {
    const { total, answers } = start({ 1: { metrics: counted(3) }, 2: { metrics: counted(4) } })
    expect(await total()).toBe(7)
    answers[1] = { metrics: undefined }
    answers[2] = { metrics: counted(5) }
    expect(await total()).toBe(8)
  })

  it('do not fall when workers end, one after the other', async () => {
    const { together, total, memberOf, answers } = start({ 1: { metrics: counted(3) }, 2: { metrics: counted(4) } })
    expect(await total()).toBe(7)
    for (const number of [1, 2]) {
      together.noteEnd(memberOf(number))
      delete answers[number]
      expect(await total()).toBe(7)
    }
    answers[3] = { metrics: counted(1) }
    expect(await total()).toBe(8)
  })

  it('count once a worker that ends while others are still asked', async () => {
    const { together, total, memberOf, answers } = start({ 1: { metrics: counted(3) }, 2: { metrics: counted(4) } })
    expect(await total()).toBe(7)
    const scrape = total()
    together.noteEnd(memberOf(1))
    expect(await scrape).toBe(7)
    delete answers[1]
    expect(await total()).toBe(7)
  })
})

describe('the checks of all workers', () => {
  const broker = (ok: boolean, detail: string): HealthCheck => ({ name: 'brokers', ok, detail })
  const workersCheck = { name: 'workers', ok: true, essential: false, detail: '2 of 2 serve.' }

  it('say once what all say', async () => {
    const { together } = start({
      1: { checks: [broker(true, 'They answer.')] },
      2: { checks: [broker(true, 'They answer.')] },
    })
    expect(await together.checks()).toEqual([broker(true, 'They answer.'), workersCheck])
  })

  it('fail where they fail at one, and say at which', async () => {
    const { together } = start({
      1: { checks: [broker(true, 'They answer.')] },
      2: { checks: [broker(false, 'Gone.')] },
    })
    expect(await together.checks()).toEqual([broker(false, 'worker 2: Gone.'), workersCheck])
  })

  it('say of each what is its own', async () => {
    const { together } = start({ 1: { checks: [broker(true, 'A.')] }, 2: { checks: [broker(true, 'B.')] } })
    expect((await together.checks())[0]).toEqual(broker(true, 'worker 1: A. worker 2: B.'))
  })

  it('hold the container back until all have served; later a worker that is missing does not', async () => {
    const answers = { 1: { checks: [] } }
    const starting = start(answers, { haveAllServed: false })
    expect(await starting.together.checks()).toEqual([
      { name: 'workers', ok: false, essential: true, detail: '1 of 2 serve.' },
    ])
    const later = start(answers)
    expect(await later.together.checks()).toEqual([
      { name: 'workers', ok: false, essential: false, detail: '1 of 2 serve.' },
    ])
  })

  it('name those that are slow', async () => {
    const { together } = start({ 1: { checks: [] }, 2: { checks: undefined } })
    expect(await together.checks()).toEqual([
      { name: 'workers', ok: false, essential: false, detail: '2 of 2 serve. Slow to answer: 2.' },
    ])
  })
})
