import { isUtf8 } from 'node:buffer'
import { isDeeperThan, parseExact } from '../../entity-registry/exact-json.ts'

/** Bytes that are no reply, or hold what JSON can’t carry. The message is for a caller and bounded in length. */
export class UnreadableReply extends Error {
  override readonly name = 'UnreadableReply'
}

/** Nesting of a reply; what is deeper is not data that anyone sends on purpose. */
const MAX_DEPTH = 200
/** CPython’s own limit between int and text (`sys.int_info.default_max_str_digits`): the time to read one grows with their square. */
const MAX_DIGITS = 4_300
/** Looked for where a run of digits begins: at each of them, it would take seconds. */
const TOO_MANY_DIGITS = new RegExp(`(?<!\\d)\\d{${MAX_DIGITS + 1}}`)

/** @throws UnreadableReply */
export function textOfReply(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new UnreadableReply('The reply is not UTF-8.')
  return bytes.toString('utf8')
}

/** @throws UnreadableReply */
export function parseReply(text: string): unknown {
  if (text.length > MAX_DIGITS && TOO_MANY_DIGITS.test(text))
    throw new UnreadableReply('The reply has a number of more than 4,300 digits.')
  const value = parseJson(text)
  // Each level takes two characters at least.
  if (text.length > 2 * MAX_DEPTH && isDeeperThan(value, MAX_DEPTH))
    throw new UnreadableReply(`The reply is nested more than ${MAX_DEPTH} deep.`)
  return value
}

function parseJson(text: string): unknown {
  try {
    return parseExact(text)
  } catch {
    throw new UnreadableReply('The reply is not JSON that can be carried on (NaN and Infinity are not).')
  }
}
