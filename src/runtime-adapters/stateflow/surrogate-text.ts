import { isUtf8 } from 'node:buffer'

/**
 * Text as Python’s pickle writes it: UTF-8, but for lone surrogates, which a Python `str` and a JavaScript string can
 * both hold and which UTF-8 can’t (the `surrogatepass` error handler).
 */
export function encodeText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  return Buffer.concat(
    Array.from(text, (character) => {
      const code = character.charCodeAt(0)
      if (character.length > 1 || code < 0xd800 || code > 0xdfff) return Buffer.from(character)
      return Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f))
    }),
  )
}

/** @returns `undefined` when the bytes are not text even so */
export function decodeText(bytes: Buffer): string | undefined {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const pieces: string[] = []
  let start = 0
  // A surrogate is three bytes: ED, A0 to BF, 80 to BF. 0xED never stands inside another character.
  for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
    const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3)
    if ((second & 0xe0) !== 0xa0 || (third & 0xc0) !== 0x80) continue
    if (!isUtf8(bytes.subarray(start, at))) return undefined
    pieces.push(
      bytes.toString('utf8', start, at),
      String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)),
    )
    start = at + 3
  }
  if (!isUtf8(bytes.subarray(start))) return undefined
  return pieces.join('') + bytes.toString('utf8', start)
}
