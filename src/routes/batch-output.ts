/** Answers that go out in one piece. */
export interface OutputPiece {
  readonly text: string
  readonly answers: number
  readonly bytes: number
}

/** Answers that nobody has taken yet, in the order in which they came. */
export interface BatchOutput {
  add(text: string, bytes: number): void
  /** The next piece, which leaves it; `undefined` where there is none. */
  take(): OutputPiece | undefined
  readonly isEmpty: boolean
  /** @returns how many answers were in it */
  clear(): number
}

/** Bytes that a piece has at most, unless a single answer has more: as many as a stream holds by default. */
const PIECE_BYTES = 65_536

/** In pieces, since all of it at once can be longer than a string may be. */
export function createBatchOutput(): BatchOutput {
  let pieces: { text: string; answers: number; bytes: number }[] = []

  return {
    add(text, bytes) {
      const last = pieces.at(-1)
      if (last === undefined || last.bytes + bytes > PIECE_BYTES) {
        pieces.push({ text, answers: 1, bytes })
        return
      }
      last.text += text
      last.answers++
      last.bytes += bytes
    },
    take: () => pieces.shift(),
    get isEmpty() {
      return pieces.length === 0
    },
    clear() {
      const answers = pieces.reduce((sum, piece) => sum + piece.answers, 0)
      pieces = []
      return answers
    },
  }
}
