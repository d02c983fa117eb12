import type { Invocation } from '../contract.ts'

/** StateFlow's own mark of a place in a flow that has no value yet (its `event_flow.py`); as an argument it is one forever. */
const NULL_MARK = '__Null__'
/** A member of this name makes StateFlow take an object for a reference (its `event_flow.py`). */
const TYPE_MARK = '_type'

/** Why these arguments would end the runtime, though their types are right; `undefined` when they are harmless. */
export function harmOf({ target, args }: Invocation): string | undefined {
  const values = target.kind === 'write-attribute' ? [target.value] : Object.values(args)
  for (const value of values) {
    if (value === NULL_MARK) return `StateFlow takes the text "${NULL_MARK}" for an argument that is missing.`
    if (isMarked(value)) return `StateFlow takes an object with the member "${TYPE_MARK}" for one of its own.`
  }
  return undefined
}

function isMarked(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, TYPE_MARK) || Object.values(value).some(isMarked)
}
