import { randomFillSync } from 'node:crypto'

export interface InvocationIds {
  readonly next: () => string
  /** From now on, ids are chosen among those that suit. */
  restrict(suits: (id: string) => boolean): void
}

/** Where one of many suits, this is how often one is looked for; one of a thousand is found then but once in e^10. */
const MAX_TRIES = 10_000

/**
 * Random UUIDs that end with the digits of the replica. 98 bits are random; choosing one of N costs log2(N) of them, so that nobody
 * can guess an id all the same.
 */
export function createInvocationIds(replica: string): InvocationIds {
  let suits = (_id: string): boolean => true
  const nextUuid = createUuids(replica)
  return {
    next() {
      let id = ''
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        id = nextUuid()
        if (suits(id)) return id
      }
      return id
    },
    restrict(given) {
      suits = given
    },
  }
}

const HEX = Buffer.from('0123456789abcdef')
const VARIANTS = Buffer.from('89ab')
/** Places of random digits; the dashes, the version and the variant stand between them. */
const FORM = Buffer.from('xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx')
const X = 'x'.charCodeAt(0)
const Y = 'y'.charCodeAt(0)
/** Ids that are written at once: reading one then costs no more than to cut it out. */
const BATCH = 128

/** UUIDs of version 4 that end with `replica`. */
function createUuids(replica: string): () => string {
  const length = FORM.length
  const form = Buffer.from(FORM)
  form.write(replica, length - replica.length, 'latin1')
  const random = Buffer.alloc(BATCH * length)
  const text = Buffer.alloc(BATCH * length)
  let next = BATCH

  function refill(): void {
    randomFillSync(random)
    for (let at = 0; at < text.length; at++) {
      const place = form[at % length] ?? 0
      const byte = random[at] ?? 0
      text[at] = place === X ? (HEX[byte & 15] ?? 0) : place === Y ? (VARIANTS[byte & 3] ?? 0) : place
    }
    // What has become ids is not kept.
    random.fill(0)
    next = 0
  }

  return () => {
    if (next === BATCH) refill()
    const from = length * next++
    return text.toString('latin1', from, from + length)
  }
}
