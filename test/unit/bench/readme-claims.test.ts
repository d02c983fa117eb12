import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const results = readFileSync(join(root, 'bench/RESULTS.md'), 'utf8')

/** What the README says of speed and cost, and the row of `bench/RESULTS.md` that bears it out. */
const claims: Readonly<Record<string, string>> = {
  'It costs about twice the CPU for each call.': 'README. CPU a call, kafkajs ÷ platformatic, 64 under way',
}

/** Words that nobody writes without making a claim of speed or cost. */
const CLAIM = /\b(CPU|calls\/s|calls a second|faster|slower|throughput|latency|p50|p99)\b/

describe('the README', () => {
  it('claims nothing of speed or cost that has no row in bench/RESULTS.md', () => {
    const lines = readme.split('\n').filter((line) => CLAIM.test(line))
    const unknown = lines.filter((line) => !Object.keys(claims).some((claim) => line.includes(claim)))
    expect(unknown).toEqual([])
  })

  it.each(Object.entries(claims))('“%s” is what the last run has shown', (claim, row) => {
    expect(readme).toContain(claim)
    const found = results.split('\n').find((line) => line.startsWith(`| ${row} `))
    expect(found).toMatch(/\| +yes +\|$/)
  })
})
