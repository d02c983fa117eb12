import { pointerSegment } from '../../entity-registry/metadata-error.ts'

/** The member names from a document’s root to a place in it (RFC 6901); `[]` is the root. */
export type Pointer = readonly string[]

/** A JSON Pointer, or the bare name of a member of the root. */
export function parsePointer(text: string): Pointer {
  if (text === '') return []
  if (!text.startsWith('/')) return [text]
  return text
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function showPointer(pointer: Pointer): string {
  return pointer.map((segment) => `/${pointerSegment(segment)}`).join('')
}

/** @returns `undefined` where there is nothing */
export function valueAt(document: unknown, pointer: Pointer): unknown {
  let at = document
  for (const name of pointer) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    // An object’s members are unknown until they are looked at.
    at = (at as Readonly<Record<string, unknown>>)[name]
  }
  return at
}

/** Whether one place is the other, or inside it. */
export function isWithin(place: Pointer, outer: Pointer): boolean {
  return outer.every((name, index) => place[index] === name)
}
