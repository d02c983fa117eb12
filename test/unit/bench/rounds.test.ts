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
  it('start the programs of a group anew in each round, warm them up, and go in turns from the lowest level up', async () => {
    const steps: string[] = []
    const options = {
      ...readOptions(['--rounds', '2', '--turns', '2', '--levels', '1,8']),
      warmUpMs: 0,
      windowMs: 1,
      quick: true,
    }
    const groups = [
      [kindOf('echo', steps), kindOf('nest', steps, true), kindOf('minimal', steps)],
      [kindOf('embedded', steps)],
    ]
    const surroundings = { worker: undefined, brokerPids: [], paceKeeper: undefined }
    const context = { kafka: undefined, worker: undefined, options, surroundings }
    const { closed, missing } = await runRounds(groups, context)
    const start = ['echo starts', 'nest starts', 'minimal starts']
    const turns = [1, 1, 8, 8].flatMap((level) => [`echo at ${level}`, `minimal at ${level}`])
    const first = ['echo at 8', 'minimal at 8', ...turns, 'echo ends', 'minimal ends']
    const second = [
      'embedded starts',
      'embedded at 8',
      ...[1, 1, 8, 8].map((level) => `embedded at ${level}`),
      'embedded ends',
    ]
    // The peer that is not here is not tried again.
    expect(steps).toEqual([...start, ...first, ...second, 'echo starts', 'minimal starts', ...first, ...second])
    const ofEcho = closed.filter(({ contender }) => contender === 'echo')
    expect(ofEcho.map(({ round, turn, level }) => [round, turn, level])).toEqual(
      [1, 2].flatMap((round) => [1, 8].flatMap((level) => [1, 2].map((turn) => [round, turn, level]))),
    )
    expect([...missing]).toEqual([['nest', 'it is not here']])
  })

  it('give the windows of a program that is in several groups turns of their own', async () => {
    const options = { ...readOptions(['--turns', '2', '--levels', '8', '--quick']), warmUpMs: 0, windowMs: 1 }
    const [echo, minimal] = [kindOf('echo', []), kindOf('minimal', [])]
    const surroundings = { worker: undefined, brokerPids: [], paceKeeper: undefined }
    const context = { kafka: undefined, worker: undefined, options, surroundings }
    const { closed } = await runRounds([[echo, minimal], [echo]], context)
    const turnsOf = (name: string) => closed.filter(({ contender }) => contender === name).map(({ turn }) => turn)
    expect(turnsOf('echo')).toEqual([1, 2, 3, 4])
    expect(turnsOf('minimal')).toEqual([1, 2])
  })
})
