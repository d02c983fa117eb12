import type { Reporter, TestCase, TestModule } from 'vitest/node'

/** Ends the output with `N passed, N failed`, and names each skipped test with its reason. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const reasons = new Map<string, number>()
    for (const module of modules) {
      // A file that could not be loaded has no tests that could fail.
      if (module.errors().length > 0) counts.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (isInapplicable(test)) continue
        if (state === 'passed' || state === 'failed') counts[state]++
        else {
          counts.skipped++
          const reason = reasonOf(test)
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        }
      }
    }
    for (const [reason, count] of reasons) console.log(`skipped ${count}: ${reason}`)
    if (process.env.CI !== undefined && counts.skipped > 0) {
      console.log('In CI a skipped test is a failed one.')
      counts.failed += counts.skipped
      process.exitCode = 1
    }
    console.log(
      `${counts.passed} passed, ${counts.failed + unhandled.length} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`,
    )
  }
}

/** A law about what this runtime has not: nothing is missing on the machine, so nothing is counted. */
function isInapplicable(test: TestCase): boolean {
  const result = test.result()
  return result.state === 'skipped' && result.note?.startsWith('the runtime') === true
}

/** Suites that can be skipped say why in brackets at the end of their name. */
function reasonOf(test: TestCase): string {
  return /\[(?:skipped: )?([^\]]+)\]/.exec(test.fullName)?.[1] ?? test.fullName
}
