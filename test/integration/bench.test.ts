import { execFile } from 'node:child_process'
import process from 'node:process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const root = new URL('../..', import.meta.url)

describe('the benchmark', () => {
  it('measures echo and the embedded gateway, and prints a row of each without errors', async () => {
    const argv = ['bench/run.ts', '--quick', '--seconds', '0.5', '--levels', '8', '--only', 'echo,embedded']
    const { stdout } = await run(process.execPath, argv, { cwd: root, timeout: 60_000 })
    for (const name of ['echo', 'embedded']) {
      const cells = rowOf(stdout, name)
      const [rate = 0, p50Ms = 0, p99Ms = 0, cpuMs = 0, rssMb = 0] = [1, 4, 5, 6, 9].map((at) => numberIn(cells[at]))
      expect([rate, p50Ms, p99Ms, cpuMs, rssMb].every((figure) => figure > 0)).toBe(true)
      expect(p99Ms).toBeGreaterThanOrEqual(p50Ms)
      expect(cells[10]).toBe('0')
    }
  }, 70_000)

  it('names the contenders when asked for one that there is not', async () => {
    const running = run(process.execPath, ['bench/run.ts', '--only', 'ecco'], { cwd: root, timeout: 30_000 })
    await expect(running).rejects.toThrow(/there is no contender ecco[\s\S]*gateway-platformatic/)
  }, 40_000)
})

/** Cells of a row of the printed table, the first being the contender's name. */
function rowOf(text: string, name: string): readonly string[] {
  const line = text.split('\n').find((each) => each.startsWith(`| ${name} `)) ?? ''
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}

function numberIn(cell = ''): number {
  return Number(cell.replaceAll(',', ''))
}
