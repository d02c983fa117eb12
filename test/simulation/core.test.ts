import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Share, ShareResult } from './worker.ts'

/** `SIMULATION_SEED=n` replays one schedule; `SIMULATION_SCHEDULES=n` runs more or fewer. */
const seed = process.env.SIMULATION_SEED
const schedules = seed === undefined ? Number(process.env.SIMULATION_SCHEDULES ?? 100_000) : 1
const firstSeed = Number(seed ?? 1)
const threads = Math.min(schedules, availableParallelism(), 4)
/** A hundred times what a schedule takes on an idle machine. */
const LIMIT_MS = 60_000 + schedules * 50

describe('the core of a call, in a simulated world', () => {
  it(`keeps its promises in ${schedules} schedules`, { timeout: LIMIT_MS }, async () => {
    const size = Math.ceil(schedules / threads)
    const shares = Array.from({ length: threads }, (_, index) => ({
      firstSeed: firstSeed + index * size,
      schedules: Math.min(size, schedules - index * size),
    }))
    const results = await Promise.all(shares.map(runInThread))
    const failures = results.flatMap((result) => result.failures)
    const report = failures.map(
      (failure) => `SIMULATION_SEED=${failure.seed} replays: ${failure.violations.join('; ')}`,
    )
    expect(report).toEqual([])
    expect(results.reduce((total, result) => total + result.schedules, 0)).toBe(schedules)
    if (schedules >= 1_000) expectVariety(results)
  })

  it('finds the same in the same seed', { timeout: 60_000 }, async () => {
    const share = { firstSeed, schedules: 20 }
    const [once, again] = [await runInThread(share), await runInThread(share)]
    expect(again).toEqual(once)
    expect(once.calls).toBeGreaterThan(0)
  })
})

/** A world without success, refusal or doubt would prove nothing. */
function expectVariety(results: readonly ShareResult[]): void {
  for (const status of ['200', '202', '422', '502', '503', '504']) {
    const count = results.reduce((total, { statuses }) => total + (statuses[status] ?? 0), 0)
    expect(count, `answers with ${status}`).toBeGreaterThan(schedules / 100)
  }
}

function runInThread(share: Share): Promise<ShareResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ShareResult>()
  const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData: share })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', (code) => reject(new Error(`the thread ended with ${code} before its time`)))
  return promise.finally(() => worker.terminate())
}
