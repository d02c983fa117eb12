import { describe, expect, it } from 'vitest'
import { runRounds } from './rounds.ts'
import { schemathesisUnavailable } from './schemathesis.ts'

/** A short form of `npm run fuzz`, with seeds that don't change. */
const CASES = 2_000
const FIRST_SEED = 1
const MAX_EXAMPLES = 6

const why = schemathesisUnavailable()

describe.skipIf(why !== undefined)(
  `Schemathesis against the guarded shop${why === undefined ? '' : ` [${why}]`}`,
  () => {
    it('finds no answer that the document does not describe, and nothing that fails', async () => {
      const { cases, links, rounds, operations } = await runRounds({
        ...{ cases: CASES, firstSeed: FIRST_SEED, maxExamples: MAX_EXAMPLES },
      })
      for (const { failed, text } of rounds) expect(failed, text.slice(-20_000)).toBe(0)
      const whole = rounds.filter(({ phases }) => phases.length > 1)
      expect(whole).toHaveLength(2)
      for (const round of whole) {
        expect(round.operations).toBe(operations)
        expect(round.phases).toEqual(['examples', 'coverage', 'fuzzing', 'stateful'])
      }
      expect(cases).toBeGreaterThanOrEqual(CASES)
      expect(links.different).toBeGreaterThan(5)
    }, 600_000)
  },
)
