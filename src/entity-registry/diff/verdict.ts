/** Whether one schema takes every value that another takes. `unknown`: they differ in a way that can't be compared. */
export type Verdict = 'yes' | 'no' | 'unknown'

/** All of them have to hold. */
export function all(verdicts: Iterable<Verdict>): Verdict {
  let sum: Verdict = 'yes'
  for (const verdict of verdicts) {
    if (verdict === 'no') return 'no'
    if (verdict === 'unknown') sum = 'unknown'
  }
  return sum
}

/** One is enough. */
export function some(verdicts: Iterable<Verdict>): Verdict {
  let sum: Verdict = 'no'
  for (const verdict of verdicts) {
    if (verdict === 'yes') return 'yes'
    if (verdict === 'unknown') sum = 'unknown'
  }
  return sum
}

export function verdictOf(holds: boolean): Verdict {
  return holds ? 'yes' : 'no'
}
