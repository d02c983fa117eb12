import { UnreadableReply } from '../kafka/reply-json.ts'

/** The unpickler’s stack with its marks, and its memo. A value is never below the last mark’s reach. */
export class PickleStack {
  readonly #values: unknown[] = []
  /** Heights of the stack at which a MARK was set. */
  readonly #marks: number[] = []
  readonly #memo = new Map<number, unknown>()

  get height(): number {
    return this.#values.length
  }

  push(value: unknown): void {
    this.#values.push(value)
  }

  pop(): unknown {
    this.#need(1)
    return this.#values.pop()
  }

  top(): unknown {
    this.#need(1)
    return this.#values.at(-1)
  }

  take(count: number): unknown[] {
    this.#need(count)
    return this.#values.splice(this.#values.length - count, count)
  }

  mark(): void {
    this.#marks.push(this.#values.length)
  }

  /** POP takes a mark where one is on top. */
  drop(): void {
    if (this.#marks.at(-1) === this.#values.length && this.#marks.length > 0) this.#marks.pop()
    else this.pop()
  }

  /** Everything above the last mark, and the mark with it. */
  takeToMark(): unknown[] {
    const height = this.#marks.pop()
    if (height === undefined) throw new UnreadableReply('The reply is no pickle: a mark is missing.')
    return this.#values.splice(height)
  }

  put(index: number, value: unknown): void {
    this.#memo.set(index, value)
  }

  memoize(): void {
    this.put(this.#memo.size, this.top())
  }

  get(index: number): unknown {
    if (!this.#memo.has(index)) throw new UnreadableReply(`The reply is no pickle: its memo has no ${index}.`)
    return this.#memo.get(index)
  }

  #need(count: number): void {
    if (this.#values.length - (this.#marks.at(-1) ?? 0) >= count) return
    throw new UnreadableReply('The reply is no pickle: its stack is too low.')
  }
}
