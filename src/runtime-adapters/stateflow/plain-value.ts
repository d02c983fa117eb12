import { PythonEnumMember, PythonGlobal, PythonObject, PythonOnly } from './python-objects.ts'
import { UnreadableReply } from './request-shape.ts'

/** Nesting of a value; what is deeper is not data that anyone sends on purpose, or holds itself. */
const MAX_DEPTH = 200
/** Values and characters of a reply once what its memo shares is written out: a small pickle can unfold without end. */
const MAX_UNITS = 32 * 1024 * 1024

/**
 * Unpickled data → plain JSON data. References to entities become their keys.
 * @throws UnreadableReply where JSON has nothing for a value
 */
export function toPlain(value: unknown): unknown {
  return convert(value, { left: MAX_UNITS }, MAX_DEPTH)
}

interface Budget {
  left: number
}

function convert(value: unknown, budget: Budget, depth: number): unknown {
  spend(budget, typeof value === 'string' ? value.length : 1)
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint')
    return value
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value
    throw new UnreadableReply(`The answer holds ${value}, which JSON can’t carry.`)
  }
  if (depth === 0) throw new UnreadableReply(`The answer is nested more than ${MAX_DEPTH} deep.`)
  if (Array.isArray(value)) return value.map((item) => convert(item, budget, depth - 1))
  if (value instanceof Map) return convertDict(value, budget, depth)
  if (value instanceof PythonObject && value.className === 'InternalClassRef') return keyOf(value)
  throw new UnreadableReply(`The answer holds ${describe(value)}, which JSON can’t carry.`)
}

function convertDict(dict: ReadonlyMap<unknown, unknown>, budget: Budget, depth: number): unknown {
  const members: [string, unknown][] = []
  for (const [name, member] of dict) {
    if (typeof name !== 'string') throw new UnreadableReply('The answer holds a dict with keys that are not text.')
    spend(budget, name.length)
    members.push([name, convert(member, budget, depth - 1)])
  }
  return Object.fromEntries(members)
}

function spend(budget: Budget, units: number): void {
  budget.left -= units
  if (budget.left < 0) throw new UnreadableReply('The answer is too large once it is unfolded.')
}

function keyOf(reference: PythonObject): unknown {
  const address = reference.attributes.get('_fun_addr')
  const key = address instanceof PythonObject ? address.attributes.get('key') : undefined
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key
  throw new UnreadableReply('The answer holds a reference to an entity without a key.')
}

function describe(value: unknown): string {
  if (value instanceof PythonOnly) return value.what
  if (value instanceof PythonObject) return `an object of StateFlow’s class ${value.className}`
  if (value instanceof PythonEnumMember) return `a member of StateFlow’s enum ${value.enumName}`
  return value instanceof PythonGlobal ? `StateFlow’s class ${value.name}` : 'a value'
}
