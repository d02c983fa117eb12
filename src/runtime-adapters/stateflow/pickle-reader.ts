import { exactInteger } from '../../entity-registry/exact-json.ts'
import { UnreadableReply } from '../kafka/reply-json.ts'
import { ByteCursor } from './byte-cursor.ts'
import { Op } from './pickle-opcodes.ts'
import { PickleStack } from './pickle-stack.ts'
import { lookUpGlobal, PythonEnumMember, PythonGlobal, PythonObject, PythonOnly } from './python-objects.ts'
import { decodeText } from './surrogate-text.ts'

/** A Python dict: its keys may be anything, and lists and dicts may hold each other. */
export type PythonDict = Map<unknown, unknown>

/** CPython refuses to print an int of more than 4,300 digits (`sys.int_info`); 1,786 bytes hold them. */
const MAX_INT_BYTES = 1_786

type Step = (cursor: ByteCursor, stack: PickleStack) => void

/**
 * Reads a pickle of protocol 2 to 5 into data. Each byte is looked at once, nothing is imported, called or recursed
 * into. Tuples become arrays, dicts `Map`s, ints beyond 2^53 `bigint`.
 * @throws UnreadableReply
 */
export function readPickle(bytes: Buffer): unknown {
  const cursor = new ByteCursor(bytes)
  const stack = new PickleStack()
  if (cursor.left < 2 || cursor.uint8() !== Op.Proto) throw new UnreadableReply('The reply is not a Python pickle.')
  const protocol = cursor.uint8()
  if (protocol < 2 || protocol > 5)
    throw new UnreadableReply(`The reply is a pickle of the unknown protocol ${protocol}.`)
  for (let code = cursor.uint8(); code !== Op.Stop; code = cursor.uint8()) {
    const step = steps.get(code)
    if (step === undefined) {
      throw new UnreadableReply(`The reply has the pickle opcode 0x${code.toString(16)}, which is not read here.`)
    }
    step(cursor, stack)
  }
  const value = stack.pop()
  if (stack.height > 0 || cursor.left > 0) throw new UnreadableReply('The reply goes on after its pickle has ended.')
  return value
}

const push =
  (read: (cursor: ByteCursor) => unknown): Step =>
  (cursor, stack) =>
    stack.push(read(cursor))

/** A frame only says how many bytes belong together. */
const frame: Step = (cursor) => {
  cursor.length64()
}

const steps: ReadonlyMap<number, Step> = new Map<number, Step>([
  [Op.Frame, frame],
  [Op.None, push(() => null)],
  [Op.NewTrue, push(() => true)],
  [Op.NewFalse, push(() => false)],
  [Op.BinInt, push((cursor) => cursor.int32())],
  [Op.BinInt1, push((cursor) => cursor.uint8())],
  [Op.BinInt2, push((cursor) => cursor.uint16())],
  [Op.Long1, push((cursor) => longOf(cursor.bytes(cursor.uint8())))],
  [Op.Long4, push((cursor) => longOf(cursor.bytes(cursor.uint32())))],
  [Op.BinFloat, push((cursor) => cursor.double())],
  [Op.ShortBinUnicode, push((cursor) => textOf(cursor.bytes(cursor.uint8())))],
  [Op.BinUnicode, push((cursor) => textOf(cursor.bytes(cursor.uint32())))],
  [Op.BinUnicode8, push((cursor) => textOf(cursor.bytes(cursor.length64())))],
  [Op.ShortBinBytes, push((cursor) => binary(cursor.bytes(cursor.uint8())))],
  [Op.BinBytes, push((cursor) => binary(cursor.bytes(cursor.uint32())))],
  [Op.BinBytes8, push((cursor) => binary(cursor.bytes(cursor.length64())))],
  [Op.ByteArray8, push((cursor) => binary(cursor.bytes(cursor.length64())))],
  [Op.EmptyTuple, push(() => [])],
  [Op.EmptyList, push(() => [])],
  [Op.EmptyDict, push(() => new Map())],
  [Op.EmptySet, push(() => new PythonOnly('a set'))],
  [Op.Mark, (_cursor, stack) => stack.mark()],
  [Op.Pop, (_cursor, stack) => stack.drop()],
  [Op.PopMark, (_cursor, stack) => void stack.takeToMark()],
  [Op.Dup, (_cursor, stack) => stack.push(stack.top())],
  [Op.Memoize, (_cursor, stack) => stack.memoize()],
  [Op.BinPut, (cursor, stack) => stack.put(cursor.uint8(), stack.top())],
  [Op.LongBinPut, (cursor, stack) => stack.put(cursor.uint32(), stack.top())],
  [Op.BinGet, (cursor, stack) => stack.push(stack.get(cursor.uint8()))],
  [Op.LongBinGet, (cursor, stack) => stack.push(stack.get(cursor.uint32()))],
  [Op.Tuple1, (_cursor, stack) => stack.push(stack.take(1))],
  [Op.Tuple2, (_cursor, stack) => stack.push(stack.take(2))],
  [Op.Tuple3, (_cursor, stack) => stack.push(stack.take(3))],
  [Op.Tuple, (_cursor, stack) => stack.push(stack.takeToMark())],
  [Op.List, (_cursor, stack) => stack.push(stack.takeToMark())],
  [Op.Dict, (_cursor, stack) => stack.push(dictOf(stack.takeToMark()))],
  [Op.Append, (_cursor, stack) => append([stack.pop()], stack)],
  [Op.Appends, (_cursor, stack) => append(stack.takeToMark(), stack)],
  [Op.SetItem, (_cursor, stack) => setItems(stack.take(2), stack)],
  [Op.SetItems, (_cursor, stack) => setItems(stack.takeToMark(), stack)],
  [Op.AddItems, (_cursor, stack) => void stack.takeToMark()],
  [Op.FrozenSet, (_cursor, stack) => stack.push(frozenSet(stack.takeToMark()))],
  [Op.Global, (cursor, stack) => stack.push(globalOf(textOf(cursor.line()), textOf(cursor.line())))],
  [Op.StackGlobal, (_cursor, stack) => stack.push(globalOf(...pairOf(stack)))],
  [Op.NewObj, (_cursor, stack) => stack.push(newObject(stack))],
  [Op.Reduce, (_cursor, stack) => stack.push(enumMember(stack))],
  [Op.Build, (_cursor, stack) => build(stack)],
])

function longOf(bytes: Buffer): number | bigint {
  if (bytes.length > MAX_INT_BYTES) throw new UnreadableReply('The reply has an int of more than 4,300 digits.')
  if (bytes.length === 0) return 0
  const magnitude = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
  return exactInteger(BigInt.asIntN(bytes.length * 8, magnitude))
}

function textOf(bytes: Buffer): string {
  const text = decodeText(bytes)
  if (text === undefined) throw new UnreadableReply('The reply has text that is not UTF-8.')
  return text
}

function binary(_bytes: Buffer): PythonOnly {
  return new PythonOnly('a bytes value')
}

function frozenSet(_items: readonly unknown[]): PythonOnly {
  return new PythonOnly('a frozenset')
}

function append(items: readonly unknown[], stack: PickleStack): void {
  const list = stack.top()
  if (!Array.isArray(list)) throw new UnreadableReply('The reply is no pickle: it appends to what is no list.')
  for (const item of items) list.push(item)
}

function setItems(items: readonly unknown[], stack: PickleStack): void {
  const dict = stack.top()
  if (!(dict instanceof Map)) throw new UnreadableReply('The reply is no pickle: it sets an item of what is no dict.')
  addPairs(dict, items)
}

function dictOf(items: readonly unknown[]): PythonDict {
  const dict: PythonDict = new Map()
  addPairs(dict, items)
  return dict
}

function addPairs(dict: PythonDict, items: readonly unknown[]): void {
  if (items.length % 2 === 1) throw new UnreadableReply('The reply is no pickle: a dict has a key without a value.')
  for (let index = 0; index < items.length; index += 2) dict.set(items[index], items[index + 1])
}

function pairOf(stack: PickleStack): [module: string, name: string] {
  const [module, name] = stack.take(2)
  if (typeof module !== 'string' || typeof name !== 'string') {
    throw new UnreadableReply('The reply is no pickle: a class has no name.')
  }
  return [module, name]
}

function globalOf(module: string, name: string): PythonGlobal {
  const found = lookUpGlobal(module, name)
  if (found !== undefined) return found
  const path = `${module.slice(0, 60)}.${name.slice(0, 60)}`
  throw new UnreadableReply(`The reply holds Python’s ${path}, which JSON can’t carry.`)
}

/** `cls.__new__(cls)`; classes of the list take no argument here. */
function newObject(stack: PickleStack): PythonObject {
  const [found, args] = stack.take(2)
  if (!(found instanceof PythonGlobal) || found.kind !== 'class' || !Array.isArray(args) || args.length > 0) {
    throw new UnreadableReply('The reply makes an object in a way that is not read here.')
  }
  return new PythonObject(found.name)
}

/**
 * A call. The only ones that are read are an enum’s look-ups of a member: by its value, or by its name, which in StateFlow’s
 * enums are the same.
 */
function enumMember(stack: PickleStack): PythonEnumMember {
  const [found, args] = stack.take(2)
  const given = Array.isArray(args) ? args : []
  const [owner, text, ...more] = isGlobal(found, 'attribute-of') ? given : [found, ...given]
  if (isGlobal(owner, 'enum') && typeof text === 'string' && more.length === 0)
    return new PythonEnumMember(owner.name, text)
  throw new UnreadableReply('The reply calls a function, which is not done here.')
}

function isGlobal(value: unknown, kind: PythonGlobal['kind']): value is PythonGlobal {
  return value instanceof PythonGlobal && value.kind === kind
}

/** `obj.__setstate__` of plain classes: a dict of attributes, or a pair of that and a dict of slots. */
function build(stack: PickleStack): void {
  const state = stack.pop()
  const object = stack.top()
  if (!(object instanceof PythonObject))
    throw new UnreadableReply('The reply is no pickle: it builds what is no object.')
  const parts = Array.isArray(state) && state.length === 2 ? state : [state]
  for (const part of parts) {
    if (part === null) continue
    if (!(part instanceof Map)) throw new UnreadableReply('The reply has an object without named attributes.')
    for (const [name, value] of part) object.attributes.set(String(name), value)
  }
}
