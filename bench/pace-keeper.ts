import { performance } from 'node:perf_hooks'
import { createPaceRecord } from './pace.ts'
import { answerParent } from './parent-channel.ts'

/** A process that does the same small pieces of work again and again, and takes the time: about 1 % of a core. */

const EVERY_MS = 100
/** Of the tries in a row the quickest counts: it is the one that was not interrupted by other processes. */
const TRIES = 3
const ROUNDS = 2_500
/** Places of four bytes: 64 MiB, more than caches hold. */
const PLACES = 2 ** 24
const JUMPS = 100

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

/** Each place holds the next, so that none is known before the last was read; a generator of full period comes by all (Hull and Dobell, 1962). */
const next = new Int32Array(PLACES)
for (let place = 0; place < PLACES; place++) next[place] = (Math.imul(place, 1_103_515_245) + 12_345) & (PLACES - 1)
let place = 0

function jump(): void {
  for (let count = 0; count < JUMPS; count++) place = next[place] ?? 0
}

function timed(what: () => void): number {
  const start = performance.now()
  what()
  return performance.now() - start
}

function quickest(what: () => void): number {
  return Math.min(...Array.from({ length: TRIES }, () => timed(what)))
}

for (let count = 0; count < 2_000; count++) {
  work()
  jump()
}
setInterval(() => record.note({ workMs: quickest(work), readNs: (quickest(jump) / JUMPS) * 1e6 }), EVERY_MS)
answerParent({ pace: () => record.take() })
