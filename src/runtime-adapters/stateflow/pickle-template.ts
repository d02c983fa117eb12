import type { JsonSchema } from '../../entity-registry/descriptor.ts'
import { Op } from './pickle-opcodes.ts'
import { PickleWriter } from './pickle-writer.ts'
import type { Call } from './request-shape.ts'

/** PROTO 4, then one FRAME over all the rest; its length is filled in at the end. */
const PROLOGUE = Buffer.from([Op.Proto, 4, Op.Frame, 0, 0, 0, 0, 0, 0, 0, 0])

type Part = Buffer | ((writer: PickleWriter, call: Call) => void)

/**
 * A pickle with holes, written once for all calls of a method. Constants are memoized by their value, so their numbers
 * in the memo are known ahead; a hole says how many numbers it takes.
 */
export class PickleTemplate {
  #writer = new PickleWriter()
  readonly #parts: Part[] = []
  readonly #memo = new Map<string, number>()
  #memoSize = 0
  #isSealed = false

  op(...codes: readonly number[]): void {
    this.#writer.op(...codes)
  }

  /** Numbers the object on top of the stack. */
  memoize(): number {
    this.op(Op.Memoize)
    return this.#memoSize++
  }

  get(index: number): void {
    this.#writer.get(index)
  }

  text(text: string): void {
    this.#once(`text ${text}`, () => this.#writer.text(text))
  }

  pair(name: string, value: string): void {
    this.text(name)
    this.text(value)
  }

  constant(value: number | bigint | boolean | null): void {
    this.#writer.value({ value, schema: undefined }, false)
  }

  global(module: string, name: string): void {
    this.#once(`global ${module} ${name}`, () => {
      this.pair(module, name)
      this.op(Op.StackGlobal)
    })
  }

  /** The memo’s number of what was written under this name before. */
  numberOf(name: string): number | undefined {
    return this.#memo.get(name)
  }

  name(name: string, index: number): void {
    this.#memo.set(name, index)
  }

  /** `members` write a name and a value each. */
  dict(members: readonly (() => void)[]): void {
    this.op(Op.EmptyDict)
    this.memoize()
    if (members.length > 1) this.op(Op.Mark)
    for (const write of members) write()
    if (members.length > 0) this.op(members.length > 1 ? Op.SetItems : Op.SetItem)
  }

  list(items: readonly (() => void)[]): void {
    this.op(Op.EmptyList)
    this.memoize()
    if (items.length > 1) this.op(Op.Mark)
    for (const write of items) write()
    if (items.length > 0) this.op(items.length > 1 ? Op.Appends : Op.Append)
  }

  /** An instance whose attributes are set without running its class. @returns its number in the memo */
  object(global: readonly [module: string, name: string], writeState: () => void): number {
    this.global(...global)
    this.op(Op.EmptyTuple, Op.NewObj)
    const index = this.memoize()
    writeState()
    this.op(Op.Build)
    return index
  }

  /** An instance of a class with `__slots__`: its state is a pair of no dict and a dict of slots. */
  slotted(global: readonly [module: string, name: string], slots: readonly (() => void)[]): number {
    return this.object(global, () => {
      this.op(Op.None)
      this.dict(slots)
      this.op(Op.Tuple2)
      this.memoize()
    })
  }

  /** Text that each call brings, under one number. */
  textHole(read: (call: Call) => unknown): void {
    this.hole((writer, call) => writer.value({ value: read(call), schema: undefined }, true))
    this.#memoSize++
  }

  /** A value that takes no number, wherever it stands. */
  valueHole(schema: JsonSchema | undefined, read: (call: Call) => unknown): void {
    this.hole((writer, call) => writer.value({ value: read(call), schema }, false))
  }

  /** A value that takes as many numbers as CPython gives it. Nothing that is written after it can be named. */
  lastHole(schema: JsonSchema | undefined, read: (call: Call) => unknown): void {
    this.hole((writer, call) => writer.value({ value: read(call), schema }, true))
    this.#isSealed = true
  }

  hole(write: (writer: PickleWriter, call: Call) => void): void {
    this.#parts.push(this.#writer.take(), write)
  }

  finish(): (call: Call) => Buffer {
    this.op(Op.Stop)
    const parts = [...this.#parts, this.#writer.take()]
    return (call) => {
      const writer = new PickleWriter()
      writer.raw(PROLOGUE)
      for (const part of parts) {
        if (typeof part === 'function') part(writer, call)
        else writer.raw(part)
      }
      const bytes = writer.take()
      bytes.writeBigUInt64LE(BigInt(bytes.length - PROLOGUE.length), PROLOGUE.length - 8)
      return bytes
    }
  }

  #once(name: string, write: () => void): void {
    const index = this.#memo.get(name)
    if (index !== undefined) {
      this.get(index)
      return
    }
    write()
    const number = this.memoize()
    if (!this.#isSealed) this.#memo.set(name, number)
  }
}
