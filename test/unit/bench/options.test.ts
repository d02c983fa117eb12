import { describe, expect, it } from 'vitest'
import { RESULTS_FILE, readOptions } from '../../../bench/options.ts'

describe('the options of the benchmark', () => {
  it.each([[[]], [['--rounds', '5']], [['--seconds', '2']]])('%j is a whole run, which writes the results', (argv) => {
    expect(readOptions(argv)).toMatchObject({ out: RESULTS_FILE, openLoop: true, replicas: 'too', peers: true })
  })

  it.each([
    [['--quick']],
    [['--only', 'echo']],
    [['--no-peers']],
    [['--open-loop']],
    [['--levels', '64']],
    [['--cpu-prof', 'folder']],
  ])('%j is a part, which is printed only', (argv) => {
    expect(readOptions(argv)).toMatchObject({ out: undefined, replicas: 'no' })
  })

  it('refuses what is not a number', () => {
    expect(() => readOptions(['--rounds', 'many'])).toThrow('--rounds wants a positive number')
  })
})
