import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { describe, expect, it } from 'vitest'

/** What lives long at first is then made to live shortly, as calls under way do. Printed is by how many bytes the old objects grow by that. */
const program = (setFlags: string) => `
  const { getHeapSpaceStatistics } = await import('node:v8')
  ${setFlags}
  const kept = new Array(400_000)
  const make = (index) => ({ index, parts: [index, index + 1], more: { text: 'call' } })
  for (let index = 0; index < 6_000_000; index++) kept[index % kept.length] = make(index)
  const oldBytes = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space').space_used_size
  const before = oldBytes()
  let most = before
  for (let index = 0; index < 3_000_000; index++) {
    kept[0] = make(index)
    if (index % 100_000 === 0) most = Math.max(most, oldBytes())
  }
  process.stdout.write(String(most - before))
`

function growth(setFlags: string): number {
  const argv = ['--input-type=module', '--eval', program(setFlags)]
  return Number(execFileSync(process.execPath, argv, { encoding: 'utf8' }))
}

describe('the flags of V8', () => {
  it('keep what ends soon from being made among the old objects', () => {
    const module = new URL('../../../src/gateway/engine-flags.ts', import.meta.url)
    expect(growth('')).toBeGreaterThan(10e6)
    expect(growth(`(await import(${JSON.stringify(module.href)})).setEngineFlags()`)).toBeLessThan(2e6)
  })
})
