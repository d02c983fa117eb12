import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../helpers/run-command.ts'

const CHILD = fileURLToPath(new URL('pending-memory-child.ts', import.meta.url))

/** In a process of its own: nothing else is on its heap. */
async function measure(what: 'pending' | 'timed-out', calls: number): Promise<Record<string, number>> {
  const output = await runCommand(process.execPath, ['--expose-gc', CHILD, what, String(calls)], { timeoutMs: 170_000 })
  return JSON.parse(output.trim().split('\n').at(-1) ?? '{}')
}

describe('memory', () => {
  it('holds 10,000 calls that were accepted with 202 in 20 MB', { timeout: 180_000 }, async () => {
    const { pending, grownBytes } = await measure('pending', 10_000)
    console.log(`10,000 pending calls: ${grownBytes} bytes`)
    expect(pending).toBe(10_000)
    expect(grownBytes).toBeLessThanOrEqual(20_000_000)
  })

  it('does not grow with calls that time out', { timeout: 180_000 }, async () => {
    const { timedOut, pending, grownBytes } = await measure('timed-out', 1_000_000)
    console.log(`1,000,000 calls that timed out: ${grownBytes} bytes more than after the first 100,000`)
    expect(timedOut).toBe(1_000_000)
    expect(pending).toBe(0)
    expect(grownBytes).toBeLessThanOrEqual(2_000_000)
  })
})
