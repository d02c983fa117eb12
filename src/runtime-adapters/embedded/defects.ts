import type { Invocation, Log, Target } from '../contract.ts'
import { isEntityError } from './entity-error.ts'
import { EntityNotFoundError } from './error-outcome.ts'
import { StateStoreError } from './state-store.ts'

/** Errors in entities' own code: their callers are told the message, and whoever wrote the code needs the place. */
export interface Defects {
  /** What is no defect is left alone. */
  note(invocation: Invocation, error: unknown): void
}

/** Places that are remembered: code that is made at run time has no end of them. */
const MAX_PLACES = 1_000

export function createDefects(log: Log): Defects {
  const counts = new Map<string, number>()

  return {
    note({ id, target }, error) {
      const stack = placesOf(error)
      if (stack === undefined) return
      const entity = target.entity.name
      const member = memberOf(target)
      const place = `${entity}.${member} ${stack[0]}`
      if (counts.size >= MAX_PLACES) counts.clear()
      const count = (counts.get(place) ?? 0) + 1
      counts.set(place, count)
      // At the 1st, 2nd, 4th, 8th …: it must be seen, and must not fill the log.
      if ((count & (count - 1)) !== 0) return
      log.warn({ invocation: id, entity, member, count, stack }, 'an entity’s code has failed')
    },
  }
}

function isExpected(error: Error): boolean {
  return isEntityError(error) || error instanceof EntityNotFoundError || error instanceof StateStoreError
}

function memberOf(target: Target): string {
  if (target.kind === 'call') return target.method.name
  return 'attribute' in target ? target.attribute.name : target.kind
}

/** Without the message, which may say the key and what else was sent. `undefined`: it is no defect, or nothing can be seen of it. */
function placesOf(error: unknown): readonly string[] | undefined {
  try {
    if (!(error instanceof Error) || isExpected(error)) return undefined
    const { stack = '', message } = error
    // The message stands in front, and may have lines that look like places.
    const from = stack.indexOf(message)
    const lines = from < 0 ? [] : stack.slice(from + message.length).split('\n')
    return lines.map((line) => line.trim()).filter((line) => line.startsWith('at '))
  } catch {
    // What was thrown throws itself when it is looked at.
    return undefined
  }
}
