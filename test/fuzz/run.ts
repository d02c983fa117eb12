import process from 'node:process'
import { runRounds } from './rounds.ts'

/** `npm run fuzz`: 10,000 cases and more, from Schemathesis's own count; `FUZZ_SEED` begins elsewhere, `FUZZ_CASES` ends elsewhere. */
const wanted = Number(process.env.FUZZ_CASES ?? 10_000)
const firstSeed = Number(process.env.FUZZ_SEED ?? 1_000)
const began = Date.now()
const { cases, links, rounds, operations } = await runRounds({
  ...{ cases: wanted, firstSeed, maxExamples: 40 },
  onRound(seed, { cases: ofRound, failed, phases, text }) {
    console.log(`seed ${seed}: ${ofRound} cases, ${failed} failed, ${phases.join(' ')}`)
    if (failed > 0) console.log(text)
  },
})
const seconds = Math.round((Date.now() - began) / 1_000)
const failed = rounds.reduce((sum, round) => sum + round.failed, 0)
console.log(`${links.different} links of the document followed, ${links.followed} times`)
console.log(`${cases} cases of ${operations} operations, ${failed} failed, in ${seconds} s`)
if (failed > 0 || cases < wanted) process.exitCode = 1
