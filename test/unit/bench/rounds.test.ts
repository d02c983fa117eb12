import { describe, expect, it } from 'vitest'
import type { Contender, ContenderKind } from '../../../bench/contender.ts'
import { readOptions } from '../../../bench/options.ts'
import { runRounds } from '../../../bench/rounds.ts'

const measured = { calls: 1, errors: 0, elapsedMs: 1, p50Us: 1, p99Us: 1, maxUs: 1 }

function kindOf(name: string, steps: string[], isPeer = false): ContenderKind {
  const contender: Contender = {
    ...{ name, topics: undefined, reach: undefined },
    usage: async () => ({ cpuMicros: 1, rssBytes: 1 }),
    async open(level) {
      steps.push(`${name} at ${level}`)
      return { reset: async () => undefined, take: async () => measured, close: async () => undefined }
    },
    close: async () => void steps.push(`${name} ends`),
  }
  const start = () => {
    steps.push(`${name} starts`)
    return isPeer ? Promise.reject(new Error('it is not here')) : Promise.resolve(contender)
  }
  return { name, usesKafka: false, floor: undefined, isPeer, start }
}

describe('the rounds of a benchmark', () => {
  it('run one program at a time, warmed up and then from the lowest level up, and start each anew in each round', async () => {
    const steps: string[] = []
    const options = { ...readOptions(['--rounds', '2', '--levels', '1,8']), warmUpMs: 0, windowMs: 1, quick: true }
    const kinds = [kindOf('echo', steps), kindOf('nest', steps, true), kindOf('embedded', steps)]
    const surroundings = { worker: undefined, brokerPids: [] }
    const context = { kafka: undefined, worker: undefined, options, surroundings }
    const { closed, missing } = await runRounds(kinds, context)
    const turn = (name: string) => [
      `${name} starts`,
      ...[`${name} at 8`, `${name} at 1`, `${name} at 8`],
      `${name} ends`,
    ]
    const first = [...turn('echo'), 'nest starts', ...turn('embedded')]
    expect(steps).toEqual([...first, ...turn('echo'), ...turn('embedded')])
    expect(closed.map(({ contender, round, level }) => [contender, round, level])).toEqual([
      ...[1, 2].flatMap((round) => ['echo', 'embedded'].flatMap((name) => [1, 8].map((level) => [name, round, level]))),
    ])
    expect([...missing]).toEqual([['nest', 'it is not here']])
  })
})
