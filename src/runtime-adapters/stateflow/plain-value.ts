import { UnreadableReply } from '../kafka/reply-json.ts'
import { PythonEnumMember, PythonGlobal, PythonObject, PythonOnly } from './python-objects.ts'

/** Nesting of a value; what is deeper is not data that anyone sends on purpose. */
const MAX_DEPTH = 200
/** Values, characters and digits of an answer once what it shares is written out: a small pickle can unfold without end. */
const MAX_UNITS = 16 * 1024 * 1024
const DIGITS_PER_HEX_DIGIT = Math.log10(16)

/**
 * Unpickled data → plain JSON data. References to entities become their keys; what a pickle shares stays shared, so each
 * of its values is looked at once.
 * @throws UnreadableReply where JSON has nothing for a value
 */
export function toPlain(value: unknown): unknown {
  return convert(value, { done: new Map(), depth: 0 }).plain
}

interface Converted {
  readonly plain: unknown
  /** Values, characters and digits, shared ones as often as they occur. */
  readonly units: number
  readonly height: number
}

interface Progress {
  readonly done: Map<object, Converted>
  readonly depth: number
}

function convert(value: unknown, progress: Progress): Converted {
  if (typeof value === 'string') return { plain: value, units: value.length + 1, height: 0 }
  if (typeof value === 'bigint') return { plain: value, units: digitsOf(value), height: 0 }
  if (Array.isArray(value) || value instanceof Map) return convertOnce(value, progress)
  if (value instanceof PythonObject && value.className === 'InternalClassRef') return convert(keyOf(value), progress)
  return { plain: scalarOf(value), units: 1, height: 0 }
}

/** At most, and found in the time that its bytes take: to write the digits themselves takes the square of that. */
function digitsOf(value: bigint): number {
  return Math.ceil(value.toString(16).length * DIGITS_PER_HEX_DIGIT)
}

function scalarOf(value: unknown): unknown {
  if (value === null || typeof value === 'boolean' || Number.isFinite(value)) return value
  throw new UnreadableReply(`The answer holds ${describe(value)}, which JSON can’t carry.`)
}

type Container = readonly unknown[] | ReadonlyMap<unknown, unknown>

function convertOnce(container: Container, { done, depth }: Progress): Converted {
  const known = done.get(container)
  if (known !== undefined) return known
  // A value that holds itself ends here too.
  if (depth === MAX_DEPTH) throw tooDeep()
  const inner = { done, depth: depth + 1 }
  const converted = container instanceof Map ? convertDict(container, inner) : convertList(Array.from(container), inner)
  if (converted.height > MAX_DEPTH) throw tooDeep()
  done.set(container, converted)
  return converted
}

function convertList(list: readonly unknown[], progress: Progress): Converted {
  const plain: unknown[] = []
  let units = 1
  let height = 0
  for (const value of list) {
    const item = convert(value, progress)
    plain.push(item.plain)
    units = checkedUnits(units + item.units)
    height = Math.max(height, item.height)
  }
  return { plain, units, height: height + 1 }
}

function convertDict(dict: ReadonlyMap<unknown, unknown>, progress: Progress): Converted {
  const plain: Record<string, unknown> = {}
  let units = 1
  let height = 0
  for (const [name, value] of dict) {
    if (typeof name !== 'string') throw new UnreadableReply('The answer holds a dict with keys that are not text.')
    const member = convert(value, progress)
    if (name === '__proto__') Object.defineProperty(plain, name, ownMember(member.plain))
    else plain[name] = member.plain
    units = checkedUnits(units + name.length + member.units)
    height = Math.max(height, member.height)
  }
  return { plain, units, height: height + 1 }
}

/** An assignment to `__proto__` would change the object’s prototype instead. */
function ownMember(value: unknown): PropertyDescriptor {
  return { value, writable: true, enumerable: true, configurable: true }
}

function checkedUnits(units: number): number {
  if (units > MAX_UNITS) throw new UnreadableReply('The answer is too large once it is unfolded.')
  return units
}

function tooDeep(): UnreadableReply {
  return new UnreadableReply(`The answer is nested more than ${MAX_DEPTH} deep.`)
}

function keyOf(reference: PythonObject): unknown {
  const address = reference.attributes.get('_fun_addr')
  const key = address instanceof PythonObject ? address.attributes.get('key') : undefined
  if (typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint') return key
  throw new UnreadableReply('The answer holds a reference to an entity without a key.')
}

function describe(value: unknown): string {
  if (typeof value === 'number') return String(value)
  if (value instanceof PythonOnly) return value.what
  if (value instanceof PythonObject) return `an object of StateFlow’s class ${value.className}`
  if (value instanceof PythonEnumMember) return `a member of StateFlow’s enum ${value.enumName}`
  return value instanceof PythonGlobal ? `StateFlow’s class ${value.name}` : 'a value'
}
