/** One line of a batch, numbered from 1. Blank lines are counted and left out. */
export type BatchLine =
  /** The bytes are good until the next call to the splitter. */
  | { readonly kind: 'whole'; readonly number: number; readonly bytes: Buffer }
  | { readonly kind: 'too-long'; readonly number: number }

/** Bytes in, lines out, one at a time: what nobody has asked for yet stays one chunk, however many lines it holds. */
export interface LineSplitter {
  feed(chunk: Buffer): void
  /** No more bytes: the last line needs no line break. */
  end(): void
  /** @returns `undefined` when more bytes are needed, or after the last line */
  next(): BatchLine | undefined
  /** Of the first line that was not given out. */
  readonly nextNumber: number
  /** Of what was fed, no line is left, nor a part of one. */
  readonly isEmpty: boolean
}

const LINE_FEED = 10
const EMPTY = Buffer.alloc(0)

export function createLineSplitter(maxLineBytes: number): LineSplitter {
  const partial = createPartialLine(maxLineBytes)
  let chunk: Buffer = EMPTY
  let at = 0
  let ended = false
  let count = 0

  /** @param end index of the line break, or of the end of the chunk */
  function take(end: number): BatchLine {
    count++
    const piece = chunk.subarray(at, end)
    at = end + 1
    const whole = partial.isEmpty && piece.length <= maxLineBytes ? piece : partial.complete(piece)
    return whole === undefined ? { kind: 'too-long', number: count } : { kind: 'whole', number: count, bytes: whole }
  }

  function takeRest(): BatchLine | undefined {
    const isNothing = at >= chunk.length && partial.isEmpty
    if (ended) return isNothing ? undefined : take(chunk.length)
    partial.add(chunk.subarray(at))
    at = chunk.length
    return undefined
  }

  return {
    feed(given) {
      chunk = at < chunk.length ? Buffer.concat([chunk.subarray(at), given]) : given
      at = 0
    },
    end() {
      ended = true
    },
    next() {
      for (;;) {
        const end = chunk.indexOf(LINE_FEED, at)
        const line = end < 0 ? takeRest() : take(end)
        if (line?.kind !== 'whole' || !isBlank(line.bytes)) return line
      }
    },
    get nextNumber() {
      return count + 1
    },
    get isEmpty() {
      return partial.isBlank && isBlank(chunk.subarray(at))
    },
  }
}

interface PartialLine {
  readonly isEmpty: boolean
  /** Nothing but white space, as far as it is kept. */
  readonly isBlank: boolean
  add(piece: Buffer): void
  /** The line with its last piece; `undefined` when it is too long. Empty again after that. */
  complete(piece: Buffer): Buffer | undefined
}

/** A line that began in an earlier chunk, copied: a caller who sends byte by byte costs bytes, not a buffer each. */
function createPartialLine(maxBytes: number): PartialLine {
  let buffer: Buffer = EMPTY
  let bytes = 0

  function add(piece: Buffer): void {
    const total = bytes + piece.length
    if (total <= maxBytes) {
      if (total > buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(total, 2 * buffer.length)))
        buffer.copy(larger, 0, 0, bytes)
        buffer = larger
      }
      piece.copy(buffer, bytes)
    } else buffer = EMPTY
    // Once past the limit, later pieces are only counted.
    bytes = total
  }

  return {
    get isEmpty() {
      return bytes === 0
    },
    get isBlank() {
      return bytes <= maxBytes && isBlank(buffer.subarray(0, bytes))
    },
    add,
    complete(piece) {
      add(piece)
      const whole = bytes > maxBytes ? undefined : buffer.subarray(0, bytes)
      buffer = EMPTY
      bytes = 0
      return whole
    },
  }
}

/** JSON's white space only. A line with anything in it is told from its first bytes. */
export function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 13 && byte !== 9 && byte !== LINE_FEED) return false
  return true
}
