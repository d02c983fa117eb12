import { isDeeperThan } from '../../entity-registry/exact-json.ts'
import type { FunctionCall } from './function-call.ts'

/** Half of what Python’s and Java’s JSON readers bear, so that an envelope fits around it. */
const MAX_DEPTH = 200
/** CPython’s limit between int and text (`sys.int_info.default_max_str_digits`). */
const MAX_INTEGER = 10n ** 4_300n

/**
 * Why these arguments would end a function, though their types are right; `undefined` when they are harmless. A function that
 * fails is called again until StateFun restarts the whole job, for ever.
 */
export function harmOf(args: FunctionCall['args']): string | undefined {
  if (isDeeperThan(args, MAX_DEPTH)) return `The arguments are nested more than ${MAX_DEPTH} deep.`
  return harmIn(args)
}

function harmIn(value: unknown): string | undefined {
  if (typeof value === 'string' && !value.isWellFormed()) {
    return 'The arguments have half a character (a lone surrogate), which no UTF-8 can carry.'
  }
  if (typeof value === 'bigint' && (value >= MAX_INTEGER || value <= -MAX_INTEGER)) {
    return 'The arguments have an integer of more than 4,300 digits.'
  }
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, member] of Object.entries(value)) {
    const harm = harmIn(name) ?? harmIn(member)
    if (harm !== undefined) return harm
  }
  return undefined
}
