import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { describe, expect, it } from 'vitest'

const module = new URL('../../../src/gateway/engine-flags.ts', import.meta.url)

/** What lives long at first is then made to live shortly, as calls under way do. Printed is by how many bytes the old objects grow by that. */
const program = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { setEngineFlags } from ${JSON.stringify(module.href)}
  setEngineFlags()
  const kept = new Array(400_000)
  const make = (index) => ({ index, parts: [index, index + 1], more: { text: 'call' } })
  for (let index = 0; index < 6_000_000; index++) kept[index % kept.length] = make(index)
  const oldBytes = () => getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space').space_used_size
  kept.length = 0
  const before = oldBytes()
  let most = before
  for (let index = 0; index < 3_000_000; index++) {
    kept[0] = make(index)
    if (index % 100_000 === 0) most = Math.max(most, oldBytes())
  }
  process.stdout.write(String(most - before))
`

const run = (...argv: readonly string[]) => execFileSync(process.execPath, argv, { encoding: 'utf8' })

describe('the flags of V8', () => {
  it('are known to this V8', () => {
    // Those that V8 does not know are set without a word; on the command line Node refuses them.
    expect(run('--no-allocation-site-pretenuring', '--eval', 'process.stdout.write("started")')).toBe('started')
  })

  // Without them two of three runs end with 30 MB and more: it depends on when what is hot was compiled.
  it.each([1, 2, 3])('keep what ends soon from being made among the old objects, run %i', () => {
    expect(Number(run('--input-type=module', '--eval', program))).toBeLessThan(2e6)
  })
})
