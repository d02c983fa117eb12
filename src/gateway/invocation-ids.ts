import { randomUUID } from 'node:crypto'
import { REPLICA_DIGITS } from './invocations/stray-keeper.ts'

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
  return {
    next() {
      let id = ''
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        id = randomUUID().slice(0, -REPLICA_DIGITS) + replica
        if (suits(id)) return id
      }
      return id
    },
    restrict(given) {
      suits = given
    },
  }
}
