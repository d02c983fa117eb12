import { performance } from 'node:perf_hooks'
import { createPaceRecord } from './pace.ts'
import { answerParent } from './parent-channel.ts'

/** A process that does the same small piece of work again and again, and takes the time: 0.3 % of a core. */

const EVERY_MS = 100
/** Of the tries in a row the quickest counts: it is the one that was not interrupted by other processes. */
const TRIES = 3
const ROUNDS = 2_500

const record = createPaceRecord()

/** Arithmetic, and objects with changing members: about a tenth of a millisecond. */
function work(): number {
  const seen: Record<string, number> = {}
  let number = 1
  for (let round = 0; round < ROUNDS; round++) {
    number = (Math.imul(number, 1_103_515_245) + 12_345) & 0x7fff_ffff
    seen[`k${number & 255}`] = number
  }
  return Object.keys(seen).length
}

function timed(): number {
  const start = performance.now()
  work()
  return performance.now() - start
}

for (let count = 0; count < 2_000; count++) work()
setInterval(() => record.note(Math.min(...Array.from({ length: TRIES }, timed))), EVERY_MS)
answerParent({ pace: () => record.take() })
