import { Op } from './pickle-opcodes.ts'
import { asPython, type TypedValue } from './python-type.ts'
import { encodeText } from './surrogate-text.ts'

/**
 * Writes pickle protocol 4 as CPython does. With `memoize`, values carry the same MEMOIZE marks as CPython’s; without,
 * they leave the memo’s numbering alone, so that what follows may be written ahead of time.
 */
export class PickleWriter {
  #bytes = Buffer.allocUnsafe(512)
  #length = 0

  op(...codes: readonly number[]): void {
    this.#reserve(codes.length)
    for (const code of codes) this.#bytes[this.#length++] = code
  }

  raw(bytes: Buffer): void {
    this.#reserve(bytes.length)
    this.#length += bytes.copy(this.#bytes, this.#length)
  }

  /** What was written so far; the writer starts again. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length)
    this.#bytes = Buffer.allocUnsafe(512)
    this.#length = 0
    return taken
  }

  text(text: string): void {
    const bytes = encodeText(text)
    if (bytes.length < 0x100) this.op(Op.ShortBinUnicode, bytes.length)
    else {
      this.op(Op.BinUnicode)
      this.#uint32(bytes.length)
    }
    this.raw(bytes)
  }

  get(index: number): void {
    if (index < 0x100) this.op(Op.BinGet, index)
    else {
      this.op(Op.LongBinGet)
      this.#uint32(index)
    }
  }

  int(value: number | bigint): void {
    const isSmall = value >= -0x8000_0000 && value <= 0x7fff_ffff
    if (!isSmall) {
      this.#long(BigInt(value))
      return
    }
    const small = Number(value)
    if (small >= 0 && small < 0x100) this.op(Op.BinInt1, small)
    else if (small >= 0 && small < 0x1_0000) this.op(Op.BinInt2, small & 0xff, small >> 8)
    else {
      this.op(Op.BinInt)
      this.#uint32(small)
    }
  }

  float(value: number): void {
    this.op(Op.BinFloat)
    this.#reserve(8)
    this.#length = this.#bytes.writeDoubleBE(value, this.#length)
  }

  value(typed: TypedValue, memoize: boolean): void {
    const value = asPython(typed)
    switch (value.kind) {
      case 'none':
        this.op(Op.None)
        return
      case 'bool':
        this.op(value.value ? Op.NewTrue : Op.NewFalse)
        return
      case 'int':
        this.int(value.value)
        return
      case 'float':
        this.float(value.value)
        return
      case 'text':
        this.text(value.value)
        this.mark(memoize)
        return
      case 'list':
        this.#list(value.items, memoize)
        return
      case 'tuple':
        this.#tuple(value.items, memoize)
        return
      case 'dict':
        this.#dict(value.members, memoize)
        return
    }
  }

  mark(memoize: boolean): void {
    if (memoize) this.op(Op.Memoize)
  }

  #list(items: readonly TypedValue[], memoize: boolean): void {
    this.op(Op.EmptyList)
    this.mark(memoize)
    const [only] = items
    if (items.length === 1 && only !== undefined) {
      this.value(only, memoize)
      this.op(Op.Append)
      return
    }
    for (const batch of batches(items)) {
      this.op(Op.Mark)
      for (const item of batch) this.value(item, memoize)
      this.op(Op.Appends)
    }
  }

  #tuple(items: readonly TypedValue[], memoize: boolean): void {
    if (items.length === 0) {
      this.op(Op.EmptyTuple)
      return
    }
    if (items.length > 3) this.op(Op.Mark)
    for (const item of items) this.value(item, memoize)
    this.op([Op.Tuple1, Op.Tuple2, Op.Tuple3][items.length - 1] ?? Op.Tuple)
    this.mark(memoize)
  }

  #dict(members: readonly (readonly [string, TypedValue])[], memoize: boolean): void {
    this.op(Op.EmptyDict)
    this.mark(memoize)
    for (const batch of batches(members)) {
      if (members.length > 1) this.op(Op.Mark)
      for (const [name, member] of batch) {
        this.text(name)
        this.mark(memoize)
        this.value(member, memoize)
      }
      this.op(members.length > 1 ? Op.SetItems : Op.SetItem)
    }
  }

  /** Two’s complement, least significant byte first, as short as it goes. */
  #long(value: bigint): void {
    const bits = (value < 0n ? -value - 1n : value).toString(2).length + 1
    const size = Math.ceil(bits / 8)
    const hex = BigInt.asUintN(size * 8, value).toString(16)
    if (size < 0x100) this.op(Op.Long1, size)
    else {
      this.op(Op.Long4)
      this.#uint32(size)
    }
    this.raw(Buffer.from(hex.padStart(size * 2, '0'), 'hex').reverse())
  }

  #uint32(value: number): void {
    this.#reserve(4)
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length)
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + extra))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}

/** CPython’s `_BATCHSIZE`: no more than this many items between a MARK and its APPENDS or SETITEMS. */
const BATCH_ITEMS = 1_000

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH_ITEMS) yield items.slice(start, start + BATCH_ITEMS)
}
