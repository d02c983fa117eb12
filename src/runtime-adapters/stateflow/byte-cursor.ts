import { UnreadableReply } from '../kafka/reply-json.ts'

/** Reads forward through bytes and never past their end. */
export class ByteCursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#step(1))
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.#step(2))
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#step(4))
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#step(4))
  }

  /** A length of eight bytes. */
  length64(): number {
    const length = this.#bytes.readBigUInt64LE(this.#step(8))
    if (length > BigInt(this.left)) throw new UnreadableReply('The reply ends in the middle of a value.')
    return Number(length)
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#step(8))
  }

  bytes(length: number): Buffer {
    const start = this.#step(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Up to a line feed, without it. */
  line(): Buffer {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) throw new UnreadableReply('The reply ends in the middle of a value.')
    const line = this.bytes(end - this.#at)
    this.#step(1)
    return line
  }

  #step(length: number): number {
    if (length > this.left) throw new UnreadableReply('The reply ends in the middle of a value.')
    const start = this.#at
    this.#at += length
    return start
  }
}
