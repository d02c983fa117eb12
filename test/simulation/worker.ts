import { parentPort, workerData } from 'node:worker_threads'
import { runSchedule } from './schedule.ts'

/** Seeds that one thread runs. */
export interface Share {
  readonly firstSeed: number
  readonly schedules: number
}

/** What came of a share. */
export interface ShareResult {
  readonly schedules: number
  readonly calls: number
  readonly statuses: Readonly<Record<string, number>>
  /** The first few. */
  readonly failures: readonly { readonly seed: number; readonly violations: readonly string[] }[]
}

/** Failures that are reported; a broken core fails everywhere. */
const MAX_FAILURES = 5

async function runShare({ firstSeed, schedules }: Share): Promise<ShareResult> {
  const statuses: Record<string, number> = {}
  const failures: { readonly seed: number; readonly violations: readonly string[] }[] = []
  let calls = 0
  let done = 0
  while (done < schedules && failures.length < MAX_FAILURES) {
    const verdict = await runSchedule(firstSeed + done++)
    calls += verdict.calls
    for (const [status, count] of Object.entries(verdict.statuses)) statuses[status] = (statuses[status] ?? 0) + count
    if (verdict.violations.length > 0) failures.push({ seed: verdict.seed, violations: verdict.violations })
  }
  return { schedules: done, calls, statuses, failures }
}

// Problems are made by the hundred thousand here, and nobody reads their stacks.
Error.stackTraceLimit = 0
// Given by the test that starts this thread.
parentPort?.postMessage(await runShare(workerData as Share))
