import { asUuid, uuidAt } from '../kafka/as-uuid.ts'
import { type Pointer, valueAt } from './json-pointer.ts'
import { parseJson } from './json-reply.ts'

const QUOTE = 0x22
const COLON = 0x3a
/** Spaces that a writer may put around the colon. */
const MAX_GAP_BYTES = 16

/**
 * Finds the id at one place of a JSON reply by the name of its member, without parsing. Only where the name occurs a second
 * time, in what a function returned perhaps, does the whole have to be read. Names inside of text don’t count: their quotes
 * are escaped there.
 */
export function idFinder(place: Pointer): (value: Buffer) => string | undefined {
  const name = Buffer.from(JSON.stringify(place.at(-1) ?? ''))
  return (value) => {
    const first = value.indexOf(name)
    if (first < 0) return undefined
    const isOnly = value.indexOf(name, first + name.length) < 0
    return isOnly ? idBehind(value, first + name.length) : idAt(value, place)
  }
}

function idBehind(value: Buffer, start: number): string | undefined {
  const colon = value.indexOf(COLON, start)
  const quote = colon < 0 ? -1 : value.indexOf(QUOTE, colon)
  if (quote < 0 || quote - start > MAX_GAP_BYTES) return undefined
  return uuidAt(value, quote + 1)
}

function idAt(value: Buffer, place: Pointer): string | undefined {
  const parsed = parseJson(value)
  const id = typeof parsed === 'string' ? undefined : valueAt(parsed.value, place)
  return typeof id === 'string' ? asUuid(Buffer.from(id)) : undefined
}
