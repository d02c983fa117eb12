import { isPromise } from 'node:util/types'

/** Entities are synchronous. Where their code makes a promise all the same, its rejection must not end the process. */

const MAX_OBJECTS = 10_000

export function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

/** Of a value that should be there already, and is promised. */
export function promiseError(value: unknown, what: string): TypeError {
  quietenPromises(value)
  return new TypeError(`${what} a promise; it must be synchronous.`)
}

/** Nobody will wait for the promises in a value that was refused. */
export function quietenPromises(value: unknown): void {
  const found = new Set([value])
  for (const one of found) {
    if (typeof one !== 'object' || one === null) continue
    if (isPromise(one)) one.catch(() => undefined)
    else if (found.size < MAX_OBJECTS) for (const member of membersOf(one)) found.add(member)
  }
}

/** A getter may throw; then there is nothing to be found. */
function membersOf(value: object): readonly unknown[] {
  try {
    return Object.values(value)
  } catch {
    return []
  }
}
